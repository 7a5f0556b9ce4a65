"""The protocols that the edge speaks. This list is all of them."""

from edge.driver import DriverKind
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.drivers.serial_scanner import ScannerSettings, SerialScanner
from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings

DRIVERS = (
    DriverKind("llrp", LlrpSettings, LlrpDriver),
    DriverKind("serial_scanner", ScannerSettings, SerialScanner),
    DriverKind("teltonika", TeltonikaSettings, TeltonikaDriver),
)
