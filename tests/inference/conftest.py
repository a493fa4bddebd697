"""The second representation of the tests of `model/`, here too."""

from tests.model.conftest import duo as duo
