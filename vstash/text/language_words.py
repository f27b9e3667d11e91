"""Function words and letters by which a text's language is told, and which a query leaves out."""

# ruff: noqa: RUF001 - other scripts are the point

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["ENGLISH", "LANGUAGES", "SCRIPT_WORDS", "WEAK_WORDS", "Language"]


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language in Latin letters.

    Attributes:
        name: As the table of languages shows it, and as Snowball calls the stemmer.
        words: Function words, casefolded. Words that also have a meaning of their own are left out.
        letters: Letters that its words have beside a to z.
        stemmed: Whether Snowball has a stemmer for it.
    """

    name: str
    words: frozenset[str]
    letters: frozenset[str]
    stemmed: bool = True


# Beside function words, words of code and markup: such a text keeps its English tokens.
_ENGLISH_WORDS: Final = """
    the this that these those an any some each every most of on at by for with about against
    between into through during before after above below over under to from up down off out and or
    but nor yet if then else because as than while although whether what which who whom whose when
    where why how not only also too very there here again i me my we us our you your he him his she
    her it its they them their am is are was were be been being have has had having do does did
    doing will would shall should can could may might must in no so all
    return import def class self null none true false int float str var let const function public
    private static void string bool new end include print echo select insert update delete http
    https www com org html json xml sql api url id args"""

ENGLISH: Final = frozenset(_ENGLISH_WORDS.split())

# Words that names, loans, English or code carry too: van Gogh, Los Angeles, El Niño, Tour de France,
# want, bin, dir. One of them alone tells nothing.
_WEAK: Final = """
    de la le les los las el da di du do dos das des der den die del della van von vom zu y e i o a
    un una en al san ad ex per pro ut et se ne si te man men non als mit fra con sans bis quo qui
    plus sin han hun hem nu nur dann want sense care come med ter dan min comment war met ten son
    bin door era dir mine till tom sit num nous bare bent tra mon chi heb par deg nel vain pot mis
    hat dal nos hay sine sig hen dig mag pour pod kit ale dove til soy fins tus sem dine mas ben
    para ser sen ces ham est sul tem sur vid uno mint din dat sta dia har cine prima nei biz mes
    sim volt nas aux sera ole sau sue som fel seg pendant tot vers ini sui mir ens mai vor hos hon
    kim hier hoe dit ell hol ada kan tai kde anda dar dai lor pas tak mei che cum dem det nad wil
    tim mie sia teu mea hai jos olla"""

WEAK_WORDS: Final = frozenset(_WEAK.split())

_LATIN: Final = (
    (
        "german",
        "äöüß",
        """der die das den dem des ein eine einen einem einer eines und oder aber denn weil dass
        wenn ob als wie was wer wen wem wessen wo wohin woher wann warum wieso welche welcher welches
        welchen welchem ich du er sie es wir ihr mich dich sich uns euch ihm ihn ihnen mir dir mein
        meine meinen meinem meiner dein deine deinen deiner seine seinen seinem seiner ihre ihren ihrem
        ihrer unser unsere unseren dieser diese dieses diesen diesem jede jeder jedes jeden kein keine
        keinen keiner nicht ist sind war waren bin bist sein wird werden wurde wurden worden hat haben
        hatte hatten habe kann können konnte muss müssen musste soll sollen sollte darf dürfen will
        wollen möchte auf aus bei mit nach seit von vom zu zum zur in im an am für durch gegen ohne um
        über unter vor zwischen hinter neben während wegen bis auch nur noch schon sehr hier dort da
        dann so doch man mehr""",
    ),
    (
        "french",
        "àâçèéêëîïôùûüœ",
        """le la les l un une des du de d et ou mais donc ni que qu qui quoi quel quelle quels quelles
        dont où quand comment pourquoi combien je j tu il elle on nous vous ils elles me m te t se s
        lui leur leurs mon ma mes sa ses notre nos votre vos ce cet cette ces c cela ça est sont était
        étaient être suis es sommes êtes sera ont ai as a avons avez avait avaient avoir fait ne n pas
        plus très aussi à au aux en dans sur sous avec sans pour par chez vers entre depuis pendant
        avant après contre si comme y peut doit faut""",
    ),
    (
        "spanish",
        "áéíñóúü",
        """el la los las un una unos unas de del al a y e o u pero sino porque que qué quien quién
        quienes cual cuál cuales cuáles cuando cuándo donde dónde como cómo cuanto cuánto cuántos
        cuántas yo tú él ella nosotros ellos ellas usted ustedes me te se nos le les lo mi mis tu tus
        su sus nuestro nuestra nuestros este esta estos estas esto ese esa esos esas eso aquel aquella
        es son era eran fue fueron ser está están estaba estar soy hay ha han había he hemos haber
        puede puedo pueden debe tiene en con sin por para sobre entre desde hasta hacia según durante
        no ni sí más muy también ya si""",
    ),
    (
        "portuguese",
        "àáâãçéêíóôõú",
        """o a os as um uma uns umas de do da dos das no na nos nas ao à aos às pelo pela pelos pelas
        e ou mas porque que quem qual quais quando onde como quanto quantos quantas eu tu ele ela nós
        eles elas você vocês me te se lhe lhes meu minha meus minhas teu tua seu sua seus suas nosso
        nossa este esta estes estas isto esse essa esses essas isso aquele aquela é são era eram foi
        foram ser está estão estava estar sou há tem têm tinha ter pode posso podem deve em com sem por
        para sobre entre desde até não nem sim mais muito também já se num numa""",
    ),
    (
        "italian",
        "àèéìíòóù",
        """il lo la i gli le l un uno una di d del dello della dei degli delle a al allo alla ai agli
        alle da dal dalla dai dalle in nel nello nella nei nelle su sul sulla sui sulle con per tra fra
        e ed o ma però perché che chi cui quale quali quando dove dov come com quanto quanti quante io
        tu lui lei noi voi loro mi ti si ci vi ne mio mia miei mie tuo tua suo sua suoi sue nostro
        nostra questo questa questi queste quello quella quelli quelle è sono era erano essere sia sta
        stato stata ha hanno ho hai abbiamo aveva avere può posso possono deve c non né sì più molto
        anche già dopo prima senza""",
    ),
    (
        "catalan",
        "àçèéíïòóúü·",
        """el la els les l un una uns unes de d del dels al als a i o però perquè que què qui qual quan
        on com quant jo tu ell ella nosaltres ells elles em et es ens us li meu meva seu seva aquest
        aquesta aquests aquestes això és són era eren ser està estan hi ha han he pot en amb sense per
        sobre entre des fins no ni sí més molt també ja si""",
    ),
    (
        "romanian",
        "ăâîșțşţ",
        """și şi sau dar că ce cine care când unde cum cât câți câte eu tu el ea noi voi ei ele mă te
        se îmi îți își mi ți lui lor meu mea mei mele tău ta său sa nostru acest această acești aceste
        acel acea un o unui unei de la în din pe cu fără pentru prin spre între după până peste este
        sunt era erau fi fost am ai a are au avea poate trebuie nu mai foarte nici să al ale ai""",
    ),
    (
        "dutch",
        "éëïóö",
        """de het een en of maar want omdat dat die dit deze wie wat waar wanneer waarom hoe welke welk
        ik jij je hij zij ze wij we jullie u mij me jou hem haar ons hun hen mijn jouw zijn uw onze is
        was waren ben bent wordt worden werd werden heeft hebben heb had kan kunnen kon moet moeten zal
        zullen mag wil niet geen wel ook nog al er in op aan bij met naar van voor door over onder tot
        uit tegen tussen zonder tijdens om te als dan toen zo zeer meer""",
    ),
    (
        "swedish",
        "åäöé",
        """en ett den det de och eller men att som om när var vart varför hur vad vem vilken vilket
        vilka jag du han hon vi ni mig dig sig honom henne oss dem min mitt mina din ditt dina sin sitt
        sina vår vårt våra deras denna detta dessa är blir blev har hade kan kunde ska skulle måste
        inte ingen inget inga i på av för med till från vid hos under över efter före mellan utan genom
        också bara mycket här där nu så man varit blivit ju""",
    ),
    (
        "danish",
        "æøåé",
        """en et den det de og eller men at som om når hvor hvorfor hvordan hvad hvem hvilken hvilket
        hvilke jeg du han hun vi mig dig sig ham hende os dem min mit mine din dit dine sin sit sine
        vores deres denne dette disse er bliver blev har havde kan kunne skal skulle må ikke ingen intet
        i på af for med til fra ved hos under over efter før mellem uden gennem også kun meget her der
        nu så man været blevet""",
    ),
    (
        "norwegian",
        "æøåéòô",
        """en ei et den det de og eller men at som om når hvor hvorfor hvordan hva hvem hvilken hvilket
        hvilke jeg du han hun vi meg deg seg ham henne oss dem min mitt mine din ditt dine sin sitt sine
        vår vårt våre deres denne dette disse er blir ble har hadde kan kunne skal skulle må ikke ingen
        i på av for med til fra ved hos under over etter før mellom uten gjennom også bare mye veldig
        her der nå så man vært blitt""",
    ),
    (
        "finnish",
        "äöå",
        """ja tai mutta sekä että jos kun koska vaikka kuin joka jotka jonka jota mikä mitä kuka kenen
        missä mistä mihin milloin miksi miten kuinka minä sinä hän me te he minun sinun hänen meidän
        teidän heidän tämä tämän tätä tässä nämä se sen sitä siinä siitä ne niiden ne on ovat oli olivat
        ole olla ollut olen ei en eivät eikä voi voivat pitää myös vain jo vielä hyvin kanssa ilman
        ennen jälkeen mukaan""",
    ),
    (
        "hungarian",
        "áéíóöőúüű",
        """a az egy és vagy de hogy ha mert mint mi mit ki kit kinek hol hova honnan mikor miért hogyan
        melyik mennyi hány én te ő mi ti ők ez ezt azt ezek azok aki ami amely amelyek van vannak volt
        voltak lesz lehet nem ne sem is csak már még meg el fel be ki le nagyon után előtt alatt között
        nélkül által szerint való kell""",
    ),
    (
        "polish",
        "ąćęłńóśźż",
        """i oraz lub albo ale że żeby aby jeśli gdy kiedy gdzie dlaczego jak jaki jaka jakie który
        która które którzy co kto kogo czy ja ty on ona ono my wy oni mnie mi cię ci się go jej ich jego
        im mój moja moje twój swój swoją nasz ten ta to te tego tej tym tych jest są był była było były
        być będzie nie tak w we z ze na do od po za przez przed przy pod nad dla bez o u już tylko też
        jeszcze bardzo można""",
    ),
    (
        "czech",
        "áčďéěíňóřšťúůýž",
        """a i nebo ale že aby když kdy kde kam proč jak jaký jaká jaké který která které kteří co kdo
        koho já ty on ona ono my vy oni mě mi tě se si ho ji jej jejich jeho její můj moje tvůj svůj náš
        ten ta to ty toho té tom tím je jsou byl byla bylo byly být bude jsem jsme ne v ve z ze na do od
        po za přes před při pod nad pro bez s k u o už jen také ještě velmi""",
    ),
    (
        "turkish",
        "çğıöşüâîû",
        """ve veya ya ama fakat çünkü ki bir bu şu o bunu şunu onu bunlar onlar ben sen biz siz beni
        seni bana sana ona benim senin onun bizim sizin onların ne neden niçin nasıl nerede nereye
        nereden kim kimin hangi kaç mi mı mu mü de da ile için gibi kadar sonra önce göre değil var yok
        olan olarak oldu olduğu olur her çok daha en hem""",
    ),
    (
        "indonesian",
        "",
        """yang dan atau tetapi tapi karena bahwa jika kalau ketika saat apa siapa mana dimana kapan
        mengapa kenapa bagaimana berapa saya aku kamu anda dia ia kami kita mereka ini itu tersebut di
        ke dari pada dalam untuk dengan oleh tanpa tentang sebagai adalah ialah akan sudah telah sedang
        tidak bukan belum juga hanya sangat lebih para ada bisa dapat harus""",
    ),
    (
        "vietnamese",
        "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
        """và hoặc nhưng vì nếu thì là của có không được bị cho với từ trong trên dưới ngoài này kia đó
        những các một tôi bạn anh chị nó chúng họ gì nào đâu khi sao thế đã đang sẽ rất cũng chỉ ở tại
        để về như theo bao nhiêu""",
    ),
)

LANGUAGES: Final[Mapping[str, Language]] = {
    name: Language(name, frozenset(words.split()), frozenset(letters), stemmed=name != "vietnamese")
    for name, letters, words in _LATIN
}

# By script, where the script decides; these words can be no other language's content in Latin letters.
SCRIPT_WORDS: Final[Mapping[str, str]] = {
    "russian": """и или а но да же ли бы не ни что чтобы как так где когда куда откуда почему зачем
        если то кто кого кому чем чего какой какая какое какие который которая которое которые сколько я
        ты он она оно мы вы они меня тебя его её их мне тебе ему ей нам вам им себя мой моя моё мои твой
        свой свою наш ваш этот эта это эти этого того тот та те был была было были быть есть будет в во
        на с со к ко по за из изо от до для без при под над об о у про через между после перед
        очень уже ещё только также тоже там тут здесь можно ли""",
    "greek": """ο η το οι τα του της των τον την τους τις ένας μια μία ένα και ή αλλά ότι πως που πού
        πότε πώς γιατί αν όταν ποιος ποια ποιο ποιοι τι πόσο πόσα εγώ εσύ αυτός αυτή αυτό μου σου μας σας
        να θα δεν μην είναι ήταν έχει έχουν σε στο στη στην στον στους στις στα από με για χωρίς μετά
        πριν κατά προς ως πολύ πιο επίσης μόνο""",
    "arabic": """في من إلى على عن مع بين حتى منذ خلال بعد قبل عند و أو ثم لكن بل أن إن أنّ إنّ لأن إذا
        لو ما ماذا من هل متى أين كيف لماذا كم أي هو هي هم هن نحن أنا أنت هذا هذه ذلك تلك هؤلاء الذي التي
        الذين كان كانت يكون تكون ليس ليست لا لم لن قد كل أيضا فقط يتم""",
    "hindi": """का के की को में से पर ने और या लेकिन कि जो तो यह वह ये वे इस उस इन उन क्या क्यों कब
        कहाँ कहां कैसे कौन किस कितना कितने कितनी मैं तुम आप हम मेरा मेरी मेरे अपना अपनी अपने है हैं था
        थी थे हो होता होती होते हुआ हुई हुए रहा रही रहे गया गई गए लिए साथ बाद पहले तक भी ही नहीं एक""",
    "hebrew": """של את על אל עם מן בין עד או אבל גם רק כי אם לא אין יש זה זאת זו אלה הוא היא הם הן אני
        אתה אנחנו מה מי איפה מתי איך למה כמה איזה היה היתה הייתה היו כל מאוד""",
}
