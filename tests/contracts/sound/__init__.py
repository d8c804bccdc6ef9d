"""What every part of the sound path promises, whoever makes it.

A suite is a class in `<port>_contract.py` with one abstract fixture; each implementation is a subclass in a test
file. What an implementation cannot be made to do by software (unplug a real card) is left out by its subclass.
"""

import pytest

for _suite in ("player", "sound_card", "microphone", "fm_tuner", "audio", "amplifier"):
    pytest.register_assert_rewrite(f"tests.contracts.sound.{_suite}_contract")
