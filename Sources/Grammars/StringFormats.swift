/// Patterns of the formats of strings that JSON Schema names (draft 2020-12, validation, section 7.3).
enum StringFormats {
  private static let date =
    #"[12]\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)"#
    + #"|02-(0[1-9]|1\d|2[0-8]))"#
  private static let time = #"([01]\d|2[0-3]):[0-5]\d:[0-5]\d"#
  private static let zone = #"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"#
  private static let label = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?"
  private static let byte = #"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"#

  /// Others say nothing here.
  static let patterns: [String: String] = [
    "date": "^\(date)$",
    "time": "^\(time)\(zone)$",
    "date-time": "^\(date)T\(time)\(zone)$",
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "ipv4": "^\(byte)(\\.\(byte)){3}$",
    "hostname": "^\(label)(\\.\(label)){0,4}$",
    "email": "^[a-z0-9_+-]{1,30}(\\.[a-z0-9_+-]{1,30}){0,3}@\(label)(\\.\(label)){1,3}$",
    "uri": "^https?://\(label)(\\.\(label)){1,4}(/[A-Za-z0-9._~-]{0,40}){0,6}$",
  ]
}
