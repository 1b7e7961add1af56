import ModelHub

extension LanguageModel {
  /// Whether a model can be loaded without fetching it. Shaped like FoundationModels'
  /// `SystemLanguageModel.Availability`.
  public enum Availability: Equatable, Sendable {
    /// It is on this machine.
    case available
    /// It is not, or not usable.
    case unavailable(UnavailableReason)

    /// Why a model is not here.
    public enum UnavailableReason: Equatable, Sendable {
      /// It has to be fetched first, which `load` does.
      case modelNotReady
      /// It is being fetched, by this process or another one.
      case downloading
      /// What is here is not what it should be; `load` says more.
      case damaged(String)
      /// No model has the name, or the name cannot be read.
      case unknownModel(String)
    }
  }

  /// Whether the model that `name` stands for is here. Looks at the disk; does not go to the network.
  ///
  /// - Parameters:
  ///   - name: as `load(_:)` takes it.
  ///   - library: nil is the user's, with the configuration file and the environment.
  public static func availability(of name: String, library: ModelLibrary? = nil) -> Availability {
    do {
      let library = try library ?? ModelLibrary()
      switch try library.status(of: library.source(of: name)) {
      case .local: return .available
      case .remote: return .unavailable(.modelNotReady)
      case .downloading: return .unavailable(.downloading)
      case .damaged(_, let reason): return .unavailable(.damaged(reason))
      }
    } catch { return .unavailable(.unknownModel("\(error)")) }
  }
}
