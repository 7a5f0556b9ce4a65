"""Overall equipment effectiveness: availability x performance x quality of a time in which a machine should have run.

Exact fractions; source: Nakajima, Introduction to TPM (1988), chapter 2; the terms are those of ISO 22400-2.
"""

from fractions import Fraction

from msgspec import Struct

from models.errors import Refused


class Oee(Struct, frozen=True):
    """The three shares of 1; `oee` is their product, which is good pieces over those that could have been made."""

    availability: Fraction
    performance: Fraction
    quality: Fraction

    @property
    def oee(self) -> Fraction:
        """Their product."""
        return self.availability * self.performance * self.quality


def oee(planned: Fraction, down: Fraction, ideal_rate: Fraction, made: Fraction, good: Fraction) -> Oee:
    """`planned` and `down` in one unit of time, `ideal_rate` in pieces of that unit; raises Refused naming the figure.

    A performance above 1 says that the ideal rate is not the ideal one: it is refused, for it would hide losses.
    """
    for name, value, most in (("down", down, planned), ("good", good, made)):
        if not 0 <= value <= most:
            msg = f"{name}: 0 to {most} expected, got {value}"
            raise Refused(msg)
    run = planned - down
    if planned <= 0 or ideal_rate <= 0:
        msg = f"planned, ideal_rate: more than 0 expected, got {planned} and {ideal_rate}"
        raise Refused(msg)
    if made > ideal_rate * run:
        msg = f"made: at most {ideal_rate * run} expected, what the ideal rate makes in the run time, got {made}"
        raise Refused(msg)
    performance = made / (ideal_rate * run) if run else Fraction(0)
    return Oee(run / planned, performance, good / made if made else Fraction(0))
