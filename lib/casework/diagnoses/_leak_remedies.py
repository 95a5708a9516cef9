"""What to do about a leak."""

from casework.diagnoses._leak_case import Investigated
from casework.diagnoses._leak_references import NONE
from casework.diagnoses._leak_verdict import to_be_read
from casework.findings import Verdict
from casework.words import count


def remedies(verdict: Verdict, found: Investigated) -> tuple[str, ...]:
    """Say what to do in this case."""
    least = NONE - 1 if found.leaked else 2
    where, held = "what prompts are made of", 0
    for name, reference in (
        ("the training rows", found.training),
        ("the example bank", found.bank),
    ):
        stand = 0 if reference is None else int((reference.tier <= least).sum())
        where, held = (name, stand) if stand else (where, held)
    said = []
    if to_be_read(found) and found.paraphrases is not None:
        said.append(
            f"Read the {count(len(found.paraphrases.candidates), 'pairs')} of the table "
            "paraphrase_candidates, those in their own prompts first, and take out of the bank "
            "what is the same question."
        )
    if not found.leaked and not held:
        return tuple(said)
    said += [f"Take the {count(held or found.leaked, 'items')} out of {where}, and keep a list of "
             "hashes of all items that retrieval refuses."]  # fmt: skip
    if verdict in ("confirmed", "supported") and found.effect.drop is not None:
        said.append("Report the score with the leaked examples left out, beside the one as run.")
    if found.leaked and found.effect.drop is None:
        said.append(
            f"Rerun the {count(found.leaked, 'leaked items')} with their own examples left out "
            "(condition leave_one_out): that alone separates the leak from easier items."
        )
    if found.versions and verdict == "confirmed":
        said.append(
            f"Judge the {count(found.versions, 'approved model versions')} again that rest on "
            "this suite."
        )
    said.append("Split examples and items by source, customer and time, and check the overlap "
                "whenever either changes.")  # fmt: skip
    said.append("Put a canary string into the files of items, so that a copy of them is found by "
                "it, and rotate a private holdout that nothing is retrieved from.")  # fmt: skip
    return tuple(said)
