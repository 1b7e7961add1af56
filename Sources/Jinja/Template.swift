#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A Jinja template, as chat templates are written in.
///
/// What it renders equals what Python's jinja2 does in the way of `apply_chat_template` (an
/// `ImmutableSandboxedEnvironment` with `trim_blocks`, `lstrip_blocks` and loop controls; `tojson`,
/// `raise_exception`, `strftime_now`; `generation` blocks), with these differences: numbers are 64 bits
/// wide, `include`, `import`, `extends`, `block` and `autoescape` are refused, `escape` returns plain text, and
/// what filters such as `map` return is a list. A template reaches nothing but the values that it is
/// given, and no template takes more steps, text or depth than `Limits` allow.
public struct Template: Sendable {
  /// How much one rendering may take.
  public struct Limits: Sendable {
    /// Statements, values and operations, a text of 16 code points counting for one. What is given adds
    /// its own size. Real templates take some thousand.
    public var steps = 200_000
    /// Code points of the result, beside twice those that were given.
    public var output = 1 << 20
    /// Code points of a template.
    public static let source = 1 << 20
    /// Macros, loops and blocks within each other.
    static let depth = 200
    /// Lists, dicts and objects within each other.
    static let valueDepth = 1000

    public init() {}
  }

  /// A time of day, for `strftime_now`.
  public struct Moment: Sendable {
    // Safe to share: plain numbers, and a time zone's name, which stays.
    nonisolated(unsafe) let parts: tm

    public init(year: Int32, month: Int32, day: Int32, hour: Int32, minute: Int32, second: Int32) {
      var parts = tm()
      parts.tm_year = year - 1900
      parts.tm_mon = month - 1
      (parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec) = (day, hour, minute, second)
      parts.tm_isdst = -1
      // Finds the day of the week and of the year.
      _ = mktime(&parts)
      self.parts = parts
    }

    /// Now, in the local time zone.
    public static var now: Moment {
      var seconds = time(nil)
      var parts = tm()
      localtime_r(&seconds, &parts)
      return Moment(parts: parts)
    }

    private init(parts: tm) { self.parts = parts }
  }

  private let body: [Statement]

  /// - Throws: `TemplateError` of kind `syntax` or `limit`, with the line.
  public init(_ source: String) throws(TemplateError) {
    guard source.utf8.count <= 4 * Limits.source, source.unicodeScalars.count <= Limits.source
    else {
      throw TemplateError(.limit, "a template of more than \(Limits.source) characters")
    }
    body = try Parser.parse(source)
  }

  /// Renders the template.
  ///
  /// - Parameter variables: what the template may use, by name.
  /// - Throws: `TemplateError`.
  public func render(
    _ variables: [String: Value], now: Moment = .now, limits: Limits = Limits()
  ) throws(TemplateError) -> Text {
    let interpreter = Interpreter(limits: limits, now: now, variables: variables)
    do {
      return try interpreter.render(body)
    } catch let error as TemplateError {
      throw error
    } catch { throw .failure("\(error)") }
  }
}
