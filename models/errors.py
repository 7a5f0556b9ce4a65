"""The errors that the domain raises. Everything else that is raised is a bug."""


class Refused(Exception):
    """The domain says no: the message names the field or rule and what was expected."""


class BadReading(Refused):
    """Bytes that are not one valid reading: quarantined by the backend, replaced by `bad_reading` at the edge."""


class BadEnvelope(Refused):
    """A payload that is not a batch: kept, counted, never receipted."""


class BadCode(Refused):
    """An EPC or barcode that does not decode; the message says which part is wrong."""


class Clash(Refused):
    """The id exists with other content."""


class NotFound(Refused):
    """No such thing in the register or the books."""
