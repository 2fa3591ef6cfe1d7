"""Word lists of the language check."""

from __future__ import annotations

_VERBS = '''
    abort abstain accept accumulate acquire activate adapt add adjust advance aggregate align allocate allow analyze
    annotate announce append apply approximate archive argue arrange ask assemble assert assign assume attach
    attempt augment average backpropagate balance begin benchmark bind block bring broadcast build bundle cache
    calculate calibrate call cancel capture cast chain change check choose clamp classify clean clear click clip
    clone close coerce collate collect combine compare compile complete compose compress compute concatenate
    configure confirm connect construct consume continue convert convolve copy correct count cover crash create crop
    cut deactivate debug decide declare decline decode decompress decrease decrypt deduplicate default define
    delegate delete denote deprecate dequantize derive describe deserialize detach detect determine diagnose
    differentiate dilate disable discard dismiss dispatch display distribute divide do document double download
    downsample draw drop dump duplicate echo edit elect elide embed emit empty emulate enable encapsulate encode
    encounter end enforce ensure enter enumerate erase escape estimate evaluate evict examine exchange exclude
    execute exercise exit expand expect explain export expose express extend extract fail feed fetch fill filter
    finalize find finish fit fix flatten flip flush fold follow forbid force forget fork format forward freeze fuse
    gate gather generate get give go group grow guard guess halve handle hash have help hide hold hook host identify
    ignore implement import include increase increment index indicate infer inform inherit initialize inject inline
    insert inspect install intercept interpolate interpret intersect invalidate invert invoke issue iterate jitter
    join keep label launch leave let limit linearize link list load locate lock log look loop lower make map mark
    mask match measure merge migrate mirror mix mock modify monitor move multiply mutate name narrow nest normalize
    note notify number observe obtain offer offset omit open operate optimize order overlay override overwrite pack
    pad paint pair parallelize parse partition pass paste patch peek penalize perform permit permute persist pick
    pin place plan plot point poll pool pop populate postprocess predict prefer prefix prepare prepend preprocess
    preserve prevent print probe process produce profile prohibit propagate protect prove provide prune publish pull
    push put quantize query quit quote raise randomize rank reach read reassign rebase rebuild recall receive
    recognize recommend recompute reconcile reconstruct record recover recycle redirect reduce refer refine refresh
    refuse register reinstall reject relate relax release reload rely remap remember remind remove rename render
    reopen reorder repair reparametrize repeat replace replay report represent reproduce request require rescale
    rescue reserve reset reshape resize resolve respect respond restore restrict resume retrieve retry return reuse
    reverse revert rewind rewrite roll rotate round route run sample sanitize save scale scan scatter schedule score
    seal search see seed select send separate serialize serve set shape shard share shift shorten show shrink
    shuffle shut signal simplify simulate skip sleep slice smooth snap solve sort sparsify spawn specify split
    square squeeze stack stamp standardize start state step stitch stop store strip subclass submit substitute
    subtract suggest sum summarize supply support suppress survey swap switch sync synchronize tag take tell
    terminate test throw tie tile time toggle tokenize tolerate touch trace track train transfer transform translate
    transpose traverse treat trigger trim truncate try tune turn type undo unfold unfreeze unify uninstall unlink
    unlock unpack unroll unset unwrap update upgrade upload upsample use validate vary verify view visit visualize
    wait walk warn warp weigh widen wire wrap write yield zero zip zoom
'''
_DANGLING = '''
    after as at because before between by for from how if in it of on than that there these they this those to what
    when where whether which while who whose why with without
'''
_ENTRY_OPENERS = '''
    are as becomes from gets has how is its of that their they to was were what where which who whose why with
'''
_DETERMINERS = 'a an all any both each every its no one the their this'

#: First words of function docstrings. Add a verb that is missing.
VERBS = frozenset(_VERBS.split())
#: First words of neither an imperative sentence nor a noun phrase.
DANGLING = frozenset(_DANGLING.split())
#: First words of an argument's description that say nothing about its value. "Whether to ..." is fine.
ENTRY_OPENERS = frozenset(_ENTRY_OPENERS.split())
DETERMINERS = frozenset(_DETERMINERS.split())

_THING = r'(?:archive|checkpoint|class|config|file|function|graph|hook|log|metafile|module|page|script|store|table)s?'
_NUMBER = r'(?:one|two|three|four|five|six|\d[\d,]*)'
_EACH = (r'(?:box|class|config|detection|epoch|family|file|GPU|head|host|image|iteration|key|layer|level|line|model|'
         r'module|object|page|person|pixel|process|publisher|row|run|second|seed|step|variant)')

#: (rule, pattern, advice). A space in a pattern matches line breaks, too.
PATTERNS: tuple[tuple[str, str, str], ...] = (
    ('word', r'\b(?:fast|plain) forms?\b', "write 'inference mode', 'compiled model', 'eager model' or the engine"),
    ('word', r'\bchannels of (?:a|each|one) pixel side by side\b', "write 'channels_last'"),
    ('word', r'\border of (?:the )?maps\b', "write 'memory format'"),
    ('word', r'\b(?:all|coarser|finer|finest|four|fused|its|output|the|these|those) maps\b(?! (?:onto|to)\b)',
     "write 'feature maps'"),
    ('word', r'\bweights files?\b|\bfiles? (?:of|with) weights\b|\bweights of a file\b', "write 'checkpoint'"),
    ('word', r"\bnetwork's (?:own )?names\b|\bnames of (?:a|each|the) network\b", "write 'state-dict keys'"),
    ('word', r'\bturned weights\b|\border of (?:the )?weights\b', "write 'prepacked weights' or 'weight reordering'"),
    ('word', r'\bbumps?\b', "write 'Gaussian peaks'"),
    ('word', r'\bsoft suppression\b', "write 'soft-NMS'"),
    ('word', r'\bthinned out\b', "write 'NMS'"),
    ('word', r'\bimages (?:are|come|in) (?:BGR|RGB)\b|\b(?:and|order of) colou?rs\b|\bcolou?rs and configs\b',
     "write 'channel order' (RGB or BGR)"),
    ('word', r'\bnorms? (?:that )?(?:learns?|trains?)\b|\blearns? (?:its |the |their )?statistics\b',
     "write 'batch norm in training mode'"),
    ('word', r'\bfixed statistics\b', "write 'frozen batch norm' or 'eval mode'"),
    ('word', r'\bsteps? of \w+ images\b', "write 'iterations with batch size N'"),
    ('word', r'\brate of learning\b|\b(?:base|initial) rate\b|(?<!learning )\brate (?:is|was) scaled\b',
     "write 'learning rate'"),
    ('word', r'\bpictures?\b', "write 'images' or 'visualizations'"),
    ('word', r'\bfound out\b|\b(?:that|what|which) (?:is|are|was|were) found\b', "write 'detected'"),
    ('word', r'\b(?:is|are|was|were|be)(?: not|n\'t) there\b|\bnot there\b', "write 'missing'"),
    ('word', r'\b(?:asks? for|wants)\b', "write 'requires'"),
    ('word', r'\bkinds? of errors?\b', "write 'error types'"),
    ('word', r"\b(?:own|one's own|ones of one's own) (?:ones|records|results|rows|runs)\b|\brows of one's own\b",
     "write 'your results' (docs) or 'local results' (code)"),
    ('word', r"\b(?:hosts?'s?|mmdet's|mmpose's|mmseg\w*'s) own\b", "write 'upstream'"),
    ('word', r'\bdrawn boxes\b', "write 'predicted boxes'"),
    ('word', r'\btrue boxes\b', "write 'ground-truth boxes'"),
    ('word', r'\bregions\b', "write 'proposals' or 'RoIs'"),
    ('word', rf'\b{_NUMBER} (?!(?:for|from|in|is|of|than|that|to|which|with)\b)\w+ an? {_EACH}\b',
     "write 'per' for the distributive article"),
    ('word', r'\bheirs?\b', "write 'derived config'"),
    ('word', r"\bsize of (?:a|each|the) person's image\b", "write 'input size'"),
    ('word', r'\bdata sets?\b', "write 'dataset'"),
    ('rhetoric', r"\banew\b|\bone's own\b|\bat hand\b|\blearned by heart\b|\bdoes without\b|\btaken back\b",
     'say it plainly'),
    ('rhetoric', r'\bnor of\b|\bis (?:not )?seen to\b|\bit is said\b|\bis said of\b|\bwithout a word\b',
     'say it plainly'),
    ('rhetoric', rf'\b{_THING} (?:asks?|forgets?|holds?|knows?|remembers?|says?|sees?|tells?|thinks?|wants?)\b',
     "no personification: write 'contains', 'lists', 'stores', 'specifies' or 'reports'"),
    # British spellings
    ('spelling', r'\w*(?:behaviour|colour|favour|flavour|honour|humour|labour|neighbour)\w*', "American: '-or'"),
    ('spelling', r'(?:anonym|author|categor|central|custom|discret|emphas|factor|final|general|initial|ital|local|'
                 r'material|maxim|memor|minim|modern|normal|optim|organ|parallel|penal|polar|priorit|quant|random|'
                 r'real|recogn|regular|serial|special|standard|summar|symbol|synchron|token|util|vector|visual)'
                 r'is(?:ation|e[drs]?|ing)\w*', "American: '-ize'"),
    ('spelling', r'(?:\bre|\bde|\bun)?(?:analys|catalys|paralys)(?:e[dr]?|ing)\b', "American: '-yze'"),
    ('spelling', r'\b\w*(?:cancell(?:ed|ing)|labell(?:ed|ing)|modell(?:ed|ing)|signall(?:ed|ing)|travell\w+)\b',
     'American: one l'),
    ('spelling', r'\b(?:centr(?:e[ds]?|ing)|fibres?|litres?|metres?|theatres?)\b', "American: '-er'"),
    ('spelling', r'\b(?:artefacts?|catalogues?|cheques?|defence|grey\w*|judgement|learnt|licences?|'
                 r'offence|practise[ds]?|programmes?|spelt|whilst)\b', 'American spelling differs'),
    ('spelling', r'\bper cent\b', "American: 'percent'"),
)
