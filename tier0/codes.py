"""Texts without language: ids, numbers, addresses, lines of programs. A word that the model never saw
must not be a sign of anything, so it is trained on such texts too, alone and beside harmless sentences."""

import string

NAMES = """id name status price qty user items sku colour size note total date time key value index count type path file
host port width height version build branch commit order ticket room gate seat""".split()
VERBS = "get set open close read write print start stop load save find sort map parse update delete insert select".split()
BRACKETS = ["[{}]", "({})", "[[{}]]", "#{}", "<{}>", '"{}"', "{}", "{}:", "ref {}", "order {}", "id {}", "code {}", "{}|{}"]


def token(random):
    letters = random.choice([string.ascii_lowercase, string.ascii_uppercase, string.ascii_letters])
    characters = random.choice([letters + string.digits, "0123456789abcdef", letters, letters + string.digits])
    return "".join(random.choice(characters) for _ in range(random.randint(3, 12)))


def code(random):
    """One piece of text without language."""
    pick = random.choice
    number = lambda most: str(random.randint(0, most))
    kind = random.randrange(12)
    if kind < 4:
        return pick(BRACKETS).format(token(random), token(random))
    if kind == 4:
        return "-".join(token(random) for _ in range(random.randint(2, 4)))
    if kind == 5:
        return "{" + ", ".join(f'"{pick(NAMES)}": {pick([number(999), chr(34) + token(random) + chr(34)])}' for _ in range(random.randint(1, 4))) + "}"
    if kind == 6:
        return f"{pick(['const ', 'let ', 'return ', ''])}{pick(VERBS)}_{pick(NAMES)} = {pick(VERBS)}({pick(NAMES)}, {number(99)});"
    if kind == 7:
        return "/".join([pick(["", "src", "home", "https://" + token(random).lower() + ".example"]), pick(NAMES), token(random)])
    if kind == 8:
        return f"{number(999)} {pick('+-*/x')} {number(999)} = {number(9999)}"
    if kind == 9:
        return f"{number(23)}:{number(59)} {pick(['', 'am', 'pm', 'h', 'uhr'])} {number(31)}.{number(12)}.{number(2030)}"
    if kind == 10:
        return f"{pick(VERBS)}:{pick(NAMES)}={number(99)}|{token(random)}"
    return f"v{number(20)}.{number(20)}.{number(20)} {token(random)}@{token(random).lower()}.example"
