#!/bin/sh
# A C++ compiler for building mmcv: precompiles <torch/extension.h> once and puts it into every translation unit.
#
# All 77 files of mmcv's operators start from that one header, which takes most of their compile time. A precompiled
# header is only used by the compiler when its flags equal the file's, so it is made here from the file's own command
# line, never from a guess. PCH_CXX names the real compiler, PCH_DIR an empty folder for the header.
set -eu

source= output= flags=
for word in "$@"; do
    case "$word" in
        *.cpp) source=$word ;;
        *.o) output=$word ;;
    esac
done
case "$source:$output" in
    ?*:?*) ;;
    *) exec "$PCH_CXX" "$@" ;;  # a link or a question to the compiler, not a compilation
esac

# The same command line without the source, the object and the dependency file.
compile_flags() {
    skip=
    for word in "$@"; do
        if [ -n "$skip" ]; then skip=; continue; fi
        case "$word" in
            -c | -MMD | -MD | "$source") ;;
            -o | -MF | -MT | -MQ) skip=yes ;;
            *) printf '%s\n' "$word" ;;
        esac
    done
}

(
    flock 9  # two compilations start together; one makes the header
    if [ ! -e "$PCH_DIR/tried" ]; then
        printf '#include <torch/extension.h>\n' > "$PCH_DIR/torch_pch.h"
        compile_flags "$@" | tr '\n' '\0' > "$PCH_DIR/flags"
        xargs -0 sh -c '"$PCH_CXX" "$@" -w -x c++-header -c "$PCH_DIR/torch_pch.h" -o "$PCH_DIR/torch_pch.h.gch"' sh \
            < "$PCH_DIR/flags" || rm -f "$PCH_DIR/torch_pch.h.gch"  # without it the build is slower, not wrong
        : > "$PCH_DIR/tried"
    fi
) 9> "$PCH_DIR/lock"
exec "$PCH_CXX" "$@" -w -include "$PCH_DIR/torch_pch.h"
