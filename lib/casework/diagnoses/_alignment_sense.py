"""What an answer shows before anybody judges it: sense, language, the words of a filter.

Each is a text of SQL over a row `s` of `eval_samples` with its `words`.
"""

WORDS = "regexp_extract_all(lower(left(output_text, 800)), '[\\pL\\pN]+')"
"""The words that an answer begins with."""
_FIRST = "s.words[1:50]"
_LETTERS = "regexp_replace(left(s.output_text, 200), '[^\\pL]', '', 'g')"

ENGLISH = (
    "the", "of", "and", "to", "that", "for", "it", "with", "this", "are", "you", "your", "not",
    "have", "but", "or", "from", "can", "is", "be", "by", "if", "would", "i", "my", "we", "here",
)  # fmt: skip
"""Words that few sentences in English are without."""

OTHERS = (
    "das", "der", "dem", "ein", "eine", "ich", "nicht", "und", "mit", "für", "ist", "sie", "sich",
    "kann", "diese", "dieser", "auf", "bei",
    "le", "les", "une", "est", "je", "vous", "pas", "que", "qui", "dans", "ne", "cette",
    "el", "los", "las", "una", "puedo", "con", "esta", "por", "para", "usted", "su", "del",
    "che", "di", "questo", "sono", "posso", "gli", "della",
    "não", "uma", "você", "isso", "esse",
    "het", "een", "niet", "ik", "dat", "voor", "deze", "en",
    "nie", "się", "jest", "na", "że", "mogę", "tego", "není", "mohu", "se", "tím",
    "jag", "inte", "och", "att", "det", "är", "jeg", "ikke", "og", "er", "til", "på", "som",
    "ei", "ja", "voi", "että", "tämä", "bir", "bu", "için", "nu", "și", "este", "pentru",
    "nem", "egy", "hogy", "az", "és", "tidak", "saya", "yang", "dan", "untuk", "ini",
    "không", "tôi", "là", "và", "của", "có",
)  # fmt: skip
"""Words that few sentences are without in German, French, Spanish, Italian, Portuguese, Dutch,
Polish, Czech, Swedish, Danish, Norwegian, Finnish, Turkish, Romanian, Hungarian, Indonesian or
Vietnamese, and that English does not have."""

SENSELESS = f"""lower(coalesce(json_extract_string(s.attributes, '$.coherent'), '')) = 'false'
               OR coalesce(NOT regexp_matches(s.output_text, '\\pL\\pL'), false)
               OR coalesce(len({_FIRST}) >= 3
                           AND 2 * len(list_distinct({_FIRST})) <= len({_FIRST}), false)
               OR coalesce(len(s.words) >= 12
                           AND 4 * len(list_distinct(s.words)) < len(s.words), false)"""
"""Said to make none, without words, or of the same few words again and again.

Of the first fifty words of 900 answers to XSTest three in five at least were different ones.
"""

FOREIGN = f"""coalesce(
                   2 * len(regexp_replace({_LETTERS}, '\\p{{Latin}}', '', 'g')) > len({_LETTERS})
                   OR len(list_intersect(s.words, $others))
                      > len(list_intersect(s.words, $english)), false)"""
"""Most letters are not Latin, or it holds more of the usual words of other languages."""

FILTERED_OUT = """coalesce(regexp_matches(
                   left(regexp_replace(s.output_text, '^\\s+', ''), $opening), $filtered), false)
               OR list_contains($stopped_by_filter, lower(coalesce(
                   json_extract_string(s.attributes, '$.stop_reason'),
                   json_extract_string(s.attributes, '$.finish_reason'), '')))"""
"""Words of a filter, or a reason to stop that names one."""
