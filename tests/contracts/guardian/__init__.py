"""What every Guardian promises, and what hangs behind the real one."""

import pytest

pytest.register_assert_rewrite("tests.contracts.guardian.guardian_contract")
