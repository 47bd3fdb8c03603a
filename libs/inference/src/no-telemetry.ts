/**
 * ONNX Runtime sends usage events to its maker, and keeps a device id and a queue of events in the user's cache folder,
 * unless this variable is set before its library is loaded. Whatever loads the library or starts a thread that does
 * imports this module first: a thread's own environment is a copy that the library does not see.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
