"""Electronic Product Codes: tag memory to scheme, GS1 key, URIs and element string, and back.

GS1 EPC Tag Data Standard 1.13: section 6.3 for the pure-identity URIs, 7 for the GS1 keys, 12 for the tag URIs, 14 for
the bits. `coding` has the tables, `text` the characters, `code` the struct, `uri` the texts, `bits` the memory.
"""

from models.epc.bits import decode, encode
from models.epc.code import Epc, check_digit
from models.epc.uri import parse_elements, parse_uri

__all__ = ["Epc", "check_digit", "decode", "encode", "parse_elements", "parse_uri"]
