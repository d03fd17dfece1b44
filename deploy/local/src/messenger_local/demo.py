"""The demo of the embedded stack: its people, their conversations and their messages, as data alone."""

from collections.abc import Sequence
from typing import Final, NamedTuple


class Person(NamedTuple):
    """A user of the demo, by the host's own id."""

    external_id: str
    name: str
    locale: str
    timezone: str


class Conversation(NamedTuple):
    """A conversation of the demo: its key, its title (None for a direct one), its members and messages.

    A message is its sender's external id and its text. Who writes has read, so each member's unread messages
    are those after their own last one.
    """

    external_key: str
    title: str | None
    members: Sequence[str]
    messages: Sequence[tuple[str, str]]


_SEOYEON: Final = "demo-seoyeon"
_ALEX: Final = "demo-alex"
_JIHUN: Final = "demo-jihun"
_MAYA: Final = "demo-maya"
_HAEUN: Final = "demo-haeun"
_TOM: Final = "demo-tom"

PEOPLE: Final = (
    Person(_SEOYEON, "김서연", "ko", "Asia/Seoul"),
    Person(_ALEX, "Alex Carter", "en", "Europe/London"),
    Person(_JIHUN, "박지훈", "ko", "Asia/Seoul"),
    Person(_MAYA, "Maya Patel", "en", "Europe/Berlin"),
    Person(_HAEUN, "이하은", "ko", "Asia/Seoul"),
    Person(_TOM, "Tom Fischer", "en", "Europe/Berlin"),
)

# The last one is the newest, so it is at the top of a list.
CONVERSATIONS: Final = (
    Conversation(
        "demo-maya-tom",
        None,
        (_MAYA, _TOM),
        (
            (_TOM, "Did the design review move to Thursday?"),
            (_MAYA, "Yes, 10:30. Same room."),
            (_TOM, "Perfect, then I can still take the early train."),
            (_MAYA, "I'll bring the printed screens."),
        ),
    ),
    Conversation(
        "demo-jihun-haeun",
        None,
        (_JIHUN, _HAEUN),
        (
            (_JIHUN, "하은 님, 어제 공유해 주신 문서 잘 봤습니다."),
            (_HAEUN, "감사합니다! 혹시 어색한 문장이 있었나요?"),
            (_JIHUN, "3쪽 두 번째 문단만 조금 길어 보여요. 나머지는 좋습니다."),
            (_HAEUN, "네, 오늘 안에 고쳐서 다시 올릴게요."),
        ),
    ),
    Conversation(
        "demo-hiking",
        "주말 등산",
        (_JIHUN, _SEOYEON, _HAEUN, _ALEX),
        (
            (_JIHUN, "이번 주 토요일에 북한산 어떠세요?"),
            (_SEOYEON, "좋아요! 날씨도 맑다고 하네요."),
            (_ALEX, "저도 갈게요. 몇 시에 어디서 만나요?"),
            (_JIHUN, "아침 8시, 우이역 2번 출구요."),
            (_HAEUN, "김밥은 제가 싸 갈게요 🍙"),
            (_SEOYEON, "그럼 저는 과일이랑 물을 챙길게요."),
            (_JIHUN, "최고예요. 등산화 꼭 신고 오세요!"),
        ),
    ),
    Conversation(
        "demo-launch",
        "Product launch",
        (_MAYA, _SEOYEON, _ALEX, _JIHUN, _HAEUN, _TOM),
        (
            (_MAYA, "Morning all! One week to go. Where do we stand?"),
            (_TOM, "The release notes are ready for review."),
            (_ALEX, "Load test passed last night: no lost messages, p99 well under the budget."),
            (_HAEUN, "The Korean texts are translated. 마지막 검수만 남았어요."),
            (_JIHUN, "I fixed the layout on small phones. 확인 부탁드려요!"),
            (_SEOYEON, "Looks great on mine 👍"),
            (_MAYA, "Wonderful. Then let's freeze on Wednesday."),
            (_ALEX, "Works for me. I'll prepare the rollout plan."),
            (_TOM, "I'll send the announcement to the beta customers on Thursday."),
        ),
    ),
    Conversation(
        "demo-seoyeon-alex",
        None,
        (_SEOYEON, _ALEX),
        (
            (_ALEX, "Hi Seoyeon! Do you have ten minutes for the rollout plan today?"),
            (_SEOYEON, "Sure, after lunch? 두 시쯤 괜찮아요."),
            (_ALEX, "Two it is. I'll send you the draft before."),
            (_SEOYEON, "고마워요! I'll read it on the way."),
            (_ALEX, "Here it is: https://example.com/rollout-plan"),
            (_ALEX, "No rush, the second page is the important one."),
        ),
    ),
)
