"""The protocols that the edge speaks. This list is all of them."""

from edge.driver import DriverKind
from edge.drivers.aemp import AempDriver, AempSettings
from edge.drivers.gpsd import GpsdDriver, GpsdSettings
from edge.drivers.gt06 import Gt06Driver, Gt06Settings
from edge.drivers.llrp import LlrpDriver, LlrpSettings
from edge.drivers.nmea import NmeaDriver, NmeaSettings
from edge.drivers.osmand import OsmandDriver, OsmandSettings
from edge.drivers.serial_scanner import ScannerSettings, SerialScanner
from edge.drivers.teltonika import TeltonikaDriver, TeltonikaSettings

DRIVERS = (
    DriverKind("aemp", AempSettings, AempDriver),
    DriverKind("gpsd", GpsdSettings, GpsdDriver),
    DriverKind("gt06", Gt06Settings, Gt06Driver),
    DriverKind("llrp", LlrpSettings, LlrpDriver, waits=False),
    DriverKind("nmea", NmeaSettings, NmeaDriver),
    DriverKind("osmand", OsmandSettings, OsmandDriver),
    DriverKind("serial_scanner", ScannerSettings, SerialScanner),
    DriverKind("teltonika", TeltonikaSettings, TeltonikaDriver),
)
