// What this module needs of the system, imported once. On Linux the rest of Foundation is left out: it brings ICU, 40 MB
// that take as long to load as a short prompt's tokens.
#if canImport(FoundationEssentials)
  @_exported import FoundationEssentials
  @_exported import Glibc
#else
  @_exported import Foundation
#endif

/// `printf`'s text of `values`, of which the first 511 bytes are kept.
///
/// - Parameter format: a constant of the caller, with a place of the right type for each value.
func formatted(_ format: String, _ values: any CVarArg...) -> String {
  var text = [CChar](repeating: 0, count: 512)
  _ = withVaList(values) { vsnprintf(&text, text.count, format, $0) }
  let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  return String(decoding: bytes, as: UTF8.self)
}
