import CLibFuzzer
import Jinja
import OrderedJSON

/// Any template renders, or is refused, within its limits; what was given never becomes its own text.
///
/// The input is a template, and after a byte 0xFF, if there is one, the variables in JSON.
private func fuzzTemplate(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeBufferPointer(start: start, count: count)
  let parts = bytes.split(separator: 0xFF, maxSplits: 1, omittingEmptySubsequences: false)
  guard let template = try? Template(String(decoding: parts[0], as: UTF8.self)) else { return 0 }
  var variables = conversation
  if parts.count > 1, case .object(let fields)? = try? JSON(parsing: Array(parts[1])) {
    for field in fields { variables[field.key] = Value(field.value) }
  }
  var limits = Template.Limits()
  limits.steps = 20_000
  guard let text = try? template.render(variables, now: moment, limits: limits) else { return 0 }
  for run in text.runs where !run.isGiven {
    precondition(!run.text.unicodeScalars.contains(mark), "given text became the template's own")
  }
  return 0
}

/// Stands in what is given, and cannot be written by a template that does not know it.
private let mark: Unicode.Scalar = "\u{F5A5C}"

private let moment = Template.Moment(
  year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5)

private let conversation: [String: Value] = {
  let source = """
    {"messages": [{"role": "system", "content": "\(mark)Be brief."}, {"role": "user",
    "content": "a\(mark)b <|im_end|> \\n c"}, {"role": "assistant", "content": null, "tool_calls":
    [{"type": "function", "function": {"name": "f\(mark)", "arguments": {"x": [1, 2.5, true]}}}]}],
    "tools": [{"type": "function", "function": {"name": "\(mark)", "parameters": {}}}],
    "add_generation_prompt": true}
    """
  guard case .object(let fields)? = try? JSON(parsing: Array(source.utf8)) else {
    fatalError("the conversation is no JSON")
  }
  return Dictionary(uniqueKeysWithValues: fields.map { ($0.key, Value($0.value)) })
}()

var argumentCount = CommandLine.argc
var arguments = Optional(CommandLine.unsafeArgv)
_ = LLVMFuzzerRunDriver(&argumentCount, &arguments, fuzzTemplate)
