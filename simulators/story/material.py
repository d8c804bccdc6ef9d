"""What is said in the story, and the sound file that someone brings."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from edge.ports import SAMPLE_RATE
from simulators.encoder import encode
from simulators.recording import spoken

LONG_MS: Final = 48_000
"""An interrupted programme goes on only if 30 s of it remain; the story interrupts it in the first 15 s."""

TEXT: Final = "Kính mời bà con ấp An Ninh đến nhà văn hóa tiêm phòng cho trẻ em, bảy giờ sáng mai."
QUIET_TEXT: Final = "Đây là chương trình thường, không được phát trong giờ yên tĩnh của xã Trần Đề."
MISSING_TEXT: Final = (
    "Đây là chương trình không bao giờ tải về được, vì đường mạng của cụm loa đã đứt trước khi lịch phát được ký. "
    "Thay vào đó, cụm loa tiếp âm đài phát thanh trong khung giờ cho phép, và im lặng ngoài khung giờ. "
    "Bà con sẽ nghe lại chương trình này vào ngày mai, khi kỹ thuật viên đã sửa xong đường mạng của ấp."
)
EMERGENCY_TEXT: Final = "Nước dâng nhanh. Bà con sơ tán ngay đến trường học."
_SENTENCES: Final = (
    "Kính thưa bà con, sau đây là bản tin của đài truyền thanh xã.",
    "Ủy ban nhân dân xã thông báo lịch tiêm phòng cho đàn gia súc, bắt đầu từ thứ hai tuần tới.",
    "Trạm y tế nhắc bà con đậy kín các lu nước để phòng bệnh sốt xuất huyết.",
    "Giá lúa hôm nay tại ruộng là bảy nghìn tám trăm đồng một ký.",
    "Nước mặn đã vào đến cống số năm, bà con kiểm tra độ mặn trước khi lấy nước vào ruộng.",
    "Trường tiểu học mời phụ huynh đến họp vào chiều thứ sáu, lúc hai giờ.",
    "Đoàn thanh niên vận động quyên góp sách cũ cho thư viện của ấp.",
    "Chợ xã sẽ nghỉ một ngày để sửa đường điện, xin bà con thông cảm.",
    "Sáng chủ nhật, ấp tổ chức dọn vệ sinh đường làng, mỗi nhà một người.",
    "Bản tin đến đây là hết. Xin cảm ơn bà con đã lắng nghe.",
)


async def speech_file(folder: Path, *, long_ms: int = LONG_MS) -> Path:
    """A news bulletin as an mp3, spoken on the spot."""
    parts = [await spoken(sentence) for sentence in _SENTENCES]
    pause = bytes(SAMPLE_RATE // 5 * 2)
    samples = pause.join(parts)
    wanted = long_ms * SAMPLE_RATE // 1000 * 2
    repeated = samples * (wanted // len(samples) + 1)
    return await asyncio.to_thread(encode, repeated[:wanted], folder / "ban-tin.mp3")
