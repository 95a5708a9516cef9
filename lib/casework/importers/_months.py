"""Names of months as they stand in a date, in languages that write the day before the month.

Any word between a day and a year would take a limit, such as "the top 5 since 2021", for a date.
What ends in a hyphen is a beginning, to which languages and their cases add up to three letters.
"""

_SHORT = """
    jan feb mar apr jun jul aug sep sept oct nov dec mär okt dez janv fév févr avr juil déc ene abr
    ago dic gen mag giu lug set ott fev out mrt maa agu
    янв февр апр авг сент окт нояб дек
"""
_OF_LATIN = """
    januar- január- janúar jaanuar janar jänner ianuarie janvier janeiro xaneiro gennaio gener enero
    februar- február- febrúar veebruar février febrero febreiro fevereiro febbraio febrer
    march marts märts märz maart maret mars mart marta marca marec martie marzo março març
    april- apríl- avril abril prill may mayo maj maja máj mája maí mai maio maggio maig mei
    june juni júní juuni juna júna junij- iunie juin junio junho giugno juny xuño junie
    july juli júlí juuli jula júla julij- iulie juillet julio julho luglio juliol xullo julie julai
    august- avgust- ágúst agustus ogos août agosto agost
    septemb- septiemb- setiemb- setemb- settemb-
    octob- oktob- oktoob- októb- octub- outub- ottob- octomb-
    novemb- noviemb- noiemb- nóvemb-
    decemb- dezemb- desemb- detsemb- disemb- décemb- dicemb- diciemb-
"""
_OF_THEIR_OWN = """
    stycznia lutego kwietnia czerwca lipca sierpnia września października listopad- grudnia
    ledna února března dubna května června července srpna září října prosince
    siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna studenog- prosinca
    tammikuu- helmikuu- maaliskuu- huhtikuu- toukokuu- kesäkuu- heinäkuu- elokuu- syyskuu- lokakuu-
    marraskuu- joulukuu-
    ocak şubat nisan may\u0131s haziran temmuz ağustos eylül ekim kas\u0131m aral\u0131k
    yanvar fevral aprel iyun iyul avqust sentyabr oktyabr noyabr dekabr
    shkurt qershor korrik gusht shtator tetor nëntor dhjetor
"""
_IN_OTHER_SCRIPTS = """
    январ- феврал- март- апрел- мая май июн- июл- август- сентябр- октябр- ноябр- декабр-
    януари февруари април- юни юли јуни јули септемвр- октомвр- ноемвр- декемвр-
    јануар- фебруар- мај маја јун јуна јул јула септемб- октоб- новемб- децемб-
    січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня
    студзеня лютага сакавіка красавіка чэрвеня ліпеня жніўня верасня кастрычніка лістапада снежня
    ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου
    νοεμβρίου δεκεμβρίου
    يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
    בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר
"""
_NAMES = (_SHORT + _OF_LATIN + _OF_THEIR_OWN + _IN_OTHER_SCRIPTS).replace("-", r"[^\W\d_]{0,3}")
MONTH = rf"(?:{'|'.join(_NAMES.split())})\b\.?"
"""A regular expression of the name of a month, for text in any case."""
