"""Sentences an operator begins with. They are spoken, so they are Vietnamese whatever the page's language, and whole:
nothing to be filled in that somebody in a hurry could forget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from controller.web.i18n import N_


@dataclass(frozen=True, slots=True)
class Sample:
    """A text for one kind of danger."""

    name: str
    title: str
    text: str
    severity: int


SAMPLES: Final = (
    Sample(
        "storm",
        N_("Storm"),
        "Khẩn cấp. Bão mạnh đang tiến vào địa bàn. Đề nghị bà con ở yên trong nhà kiên cố, đóng chặt cửa, "
        "tránh xa cây to và đường dây điện. Tàu thuyền không ra khơi. Người ở nhà tạm, ven sông, ven biển đến "
        "ngay nơi trú bão.",
        4,
    ),
    Sample(
        "flood",
        N_("Flood"),
        "Khẩn cấp. Nước đang dâng nhanh. Đề nghị bà con đưa người già, trẻ em và tài sản lên nơi cao, cắt cầu "
        "dao điện, không đi qua chỗ nước chảy xiết, không vớt củi trên sông. Ai cần giúp đỡ hãy gọi một một "
        "hai.",
        4,
    ),
    Sample(
        "dam",
        N_("Release of water"),
        "Thông báo khẩn. Cống và hồ chứa sắp xả nước, mực nước sông sẽ lên nhanh. Đề nghị bà con ven sông rời "
        "ngay bãi sông, đưa ghe xuồng, vật nuôi và tài sản vào nơi an toàn, không tắm sông, không đánh bắt "
        "cá.",
        3,
    ),
    Sample(
        "fire",
        N_("Fire"),
        "Khẩn cấp. Đang có cháy lớn trên địa bàn. Đề nghị bà con gần đám cháy rời ngay khỏi nhà theo hướng "
        "ngược gió, nhường đường cho xe chữa cháy, khóa bình ga, cắt cầu dao điện. Ai thấy người mắc kẹt hãy "
        "gọi một một bốn.",
        4,
    ),
    Sample(
        "evacuation",
        N_("Evacuation"),
        "Khẩn cấp. Lệnh sơ tán. Đề nghị toàn thể bà con rời khỏi nhà ngay bây giờ, mang theo giấy tờ, thuốc "
        "men, nước uống, và đi đến điểm sơ tán của xã theo hướng dẫn của công an, dân quân. Hãy giúp người "
        "già và trẻ em.",
        4,
    ),
    Sample(
        "clear",
        N_("All clear"),
        "Thông báo. Tình huống khẩn cấp đã kết thúc. Bà con trở lại sinh hoạt bình thường, chú ý kiểm tra "
        "điện và nhà cửa trước khi vào. Cảm ơn bà con đã phối hợp.",
        1,
    ),
)

SEVERITIES: Final = {
    4: N_("4 · Extreme: lives are in danger now"),
    3: N_("3 · Severe: danger is near"),
    2: N_("2 · Moderate: be prepared"),
    1: N_("1 · Notice"),
}
TONES: Final = {"two_tone": N_("Two tones"), "sweep": N_("Siren"), "chime": N_("Chime")}
