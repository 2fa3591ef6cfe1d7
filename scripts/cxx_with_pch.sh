#!/bin/sh
# C++ compiler wrapper for mmcv: precompiles <torch/extension.h> once and includes it in every translation unit.
#
# All 77 files of mmcv's operators include this header, which takes most of their compile time. A compiler uses a
# precompiled header only if its flags equal those of the file. So the header is compiled with the command line of the
# file. PCH_CXX is the real compiler, PCH_DIR an empty folder for the header.
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
    *) exec "$PCH_CXX" "$@" ;;  # linking or a query, not a compilation
esac

# the same command line without source, object and dependency file
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
    flock 9  # parallel compilations: only one compiles the header
    if [ ! -e "$PCH_DIR/tried" ]; then
        printf '#include <torch/extension.h>\n' > "$PCH_DIR/torch_pch.h"
        compile_flags "$@" | tr '\n' '\0' > "$PCH_DIR/flags"
        xargs -0 sh -c '"$PCH_CXX" "$@" -w -x c++-header -c "$PCH_DIR/torch_pch.h" -o "$PCH_DIR/torch_pch.h.gch"' sh \
            < "$PCH_DIR/flags" || rm -f "$PCH_DIR/torch_pch.h.gch"  # without it, the build is only slower
        : > "$PCH_DIR/tried"
    fi
) 9> "$PCH_DIR/lock"
exec "$PCH_CXX" "$@" -w -include "$PCH_DIR/torch_pch.h"
