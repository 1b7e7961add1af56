#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What the hub's API says of a repository's files.
struct HubIndex: Sendable {
  let environment: HubEnvironment
  let downloader: Downloader

  /// Bytes of an answer that are read at most.
  private static let largestAnswer = 16 << 20

  /// Finds the file that `reference` means: its commit, size and hash. One request.
  ///
  /// - Throws: `HubError.ambiguous`, `.noSuchFile`, `.malformedAnswer`, `.refused`, `.unreachable`.
  func resolve(_ reference: RepositoryReference, isCancelled: @escaping () -> Bool)
    throws(HubError) -> HubFile
  {
    let url =
      "\(environment.endpoint)/api/models/\(reference.repository)/revision/"
      + HubName.escaped(reference.revision).split(separator: "/").joined(separator: "%2F")
      + "?blobs=true"
    let body = try downloader.text(
      of: url, limit: Self.largestAnswer, isCancelled: isCancelled)
    let answer: Answer
    do {
      answer = try JSONDecoder().decode(Answer.self, from: Data(body))
    } catch {
      throw .malformedAnswer(url: url, reason: Self.reason(error))
    }
    let path = try reference.pick(from: answer.siblings.map(\.rfilename))
    guard let large = answer.siblings.first(where: { $0.rfilename == path })?.lfs else {
      throw .malformedAnswer(
        url: url, reason: "\(path) has no SHA-256; it is not in the hub's storage of large files")
    }
    return try HubFile(
      repository: reference.repository, path: path, commit: answer.sha, byteCount: large.size,
      sha256: large.sha256)
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "no JSON" }
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    return switch error {
    case .keyNotFound(let key, let context): "\(path(context)) has no \"\(key.stringValue)\""
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "\(path(context)) is of another kind"
    default: "no JSON"
    }
  }

  /// `ModelInfo` of the hub's API, as far as it is needed here.
  private struct Answer: Decodable {
    struct Sibling: Decodable {
      struct Large: Decodable {
        let size: Int
        let sha256: String
      }
      let rfilename: String
      let lfs: Large?
    }
    /// The commit.
    let sha: String
    let siblings: [Sibling]
  }
}
