"""What can happen to a payment. Its page, its machine endpoint and docs/howto/payments.md have the same table."""

from dataclasses import dataclass

DELAY = 30.0  # seconds until a late event or late money arrives
FOLLOW_UP = 10.0  # seconds until what happens after the payment


@dataclass(frozen=True)
class Course:
    """What happens when the customer pays. A card that ends in `number`, or an amount with these cents, chooses it."""

    number: int
    code: str
    title: str
    text: str

    @property
    def card(self) -> str:
        return f"1000 0000 0000 {self.number:04}"


COURSES = [
    Course(0, "pays", "Pay", "Is paid."),
    Course(1, "fails", "Fail", "Is declined. The customer can start another attempt."),
    Course(2, "loses_event", "Pay, and lose the event", "Is paid, and no event is sent."),
    Course(3, "doubles_event", "Pay, and send the event twice", "Is paid, and the same event is sent twice."),
    Course(4, "delays_event", "Pay, and delay the event", "Is paid, and the event is sent 30 seconds later."),
    Course(
        5,
        "times_out",
        "Pay, and time out after the charge",
        "Is paid. The provider's next answer about the payment times out, and the one after it is an error 500.",
    ),
    Course(
        6,
        "pays_late",
        "Pay late",
        "Stays open. The money arrives 30 seconds later, also if the payment was cancelled by then.",
    ),
    Course(
        7,
        "refund_outside",
        "Pay, and refund from outside",
        "Is paid. 10 seconds later all of it is refunded at the provider's own site.",
    ),
    Course(8, "chargeback", "Pay, and charge back", "Is paid. 10 seconds later the customer's bank takes it back."),
    Course(
        9,
        "chargeback_reversal",
        "Pay, charge back, and reverse it",
        "Is paid and charged back. 10 seconds after that the shop gets the money again.",
    ),
]
BY_CODE = {course.code: course for course in COURSES}
BY_NUMBER = {course.number: course for course in COURSES}
# What can be done immediately with a payment that is paid.
AFTERWARDS = {
    "refund_outside": "Refund at the provider's site",
    "chargeback": "Charge back",
    "chargeback_reversal": "Reverse the chargeback",
}


def of_amount(cents: int) -> Course:
    """The course that an amount chooses by its cents."""
    return BY_NUMBER.get(cents % 100, COURSES[0])


def of_card(card: str) -> Course | None:
    """The course that a card number chooses; None for a number that is not in the table."""
    digits = card.replace(" ", "").replace("-", "")
    return next((course for course in COURSES if course.card.replace(" ", "") == digits), None)
