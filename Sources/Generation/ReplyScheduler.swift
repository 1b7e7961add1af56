import Dispatch
import Llama
import Tokenization

/// Computes replies of any number of sequences on one model: each pass reads the weights once, and takes
/// a token of each reply that is under way, and a part of one prompt.
///
/// What a sequence gets does not depend on the others, nor on when it came.
package final class ReplyScheduler: @unchecked Sendable {
  // @unchecked Sendable: what changes is touched on `queue` only.

  /// One reply that is wanted.
  package struct Request: @unchecked Sendable {
    // @unchecked Sendable: handed over whole; `sequence` belongs to the scheduler until `finish`.
    package let prompt: [Int]
    package let sequence: CachedSequence
    package let options: DecodingOptions
    package let contextLength: Int
    /// Asked before each pass.
    package let isCancelled: @Sendable () -> Bool
    /// Called with each token.
    package let say: @Sendable (GeneratedToken) -> Void
    /// Called once, at the end.
    package let finish: @Sendable (Result<GenerationSummary, any Error>) -> Void

    package init(
      _ prompt: [Int], _ sequence: CachedSequence, options: DecodingOptions, contextLength: Int,
      isCancelled: @escaping @Sendable () -> Bool,
      say: @escaping @Sendable (GeneratedToken) -> Void,
      finish: @escaping @Sendable (Result<GenerationSummary, any Error>) -> Void
    ) {
      self.prompt = prompt
      self.sequence = sequence
      self.options = options
      self.contextLength = contextLength
      self.isCancelled = isCancelled
      self.say = say
      self.finish = finish
    }
  }

  private final class Job {
    let request: Request
    var run: ReplyRun
    var isFinished = false

    init(_ request: Request, _ run: ReplyRun) {
      self.request = request
      self.run = run
    }

    func finish(_ result: Result<GenerationSummary, any Error>) {
      isFinished = true
      request.finish(result)
    }

    /// What to compute next; nil where the reply is over.
    func next(promptTokens limit: Int) -> ForwardPass.Part? {
      do {
        switch try run.next(
          promptTokens: limit, isCancelled: request.isCancelled(), request.say)
        {
        case .compute(let tokens, let wanted):
          return ForwardPass.Part(tokens, cache: request.sequence.cache, wanted: wanted)
        case .finished(let summary): finish(.success(summary))
        }
      } catch { finish(.failure(error)) }
      return nil
    }
  }

  /// Tokens of a prompt in a pass that others wait for: they shall not stutter.
  private static let sharedPromptTokens = 128

  private let model: LlamaModel
  private let tokenizer: Tokenizer
  private let batchSize: Int
  // Of its own, as a pass blocks: not for the threads of Swift's tasks.
  private let queue = DispatchQueue(label: "swiftlet.replies")
  private var forward: ForwardPass?
  private var jobs: [Job] = []
  private var isRunning = false

  package init(_ model: LlamaModel, _ tokenizer: Tokenizer, batchSize: Int) {
    self.model = model
    self.tokenizer = tokenizer
    // A token and what may be guessed after it.
    self.batchSize = max(1 + LookupDraft.longest, batchSize)
  }

  package func submit(_ request: Request) {
    queue.async { [self] in
      do {
        let run = try ReplyRun(
          request.prompt, request.sequence, tokenizer, options: request.options,
          contextLength: request.contextLength)
        jobs.append(Job(request, run))
      } catch {
        request.finish(.failure(error))
        return
      }
      guard !isRunning else { return }
      isRunning = true
      queue.async { [self] in pass() }
    }
  }

  /// One pass over the weights; then the next, after what was submitted meanwhile.
  private func pass() {
    var parts: [(job: Job, part: ForwardPass.Part)] = []
    var room = batchSize
    var served: [Job] = []
    // A reply that shifts its context reads again from its next pass on.
    let reading = jobs.filter(\.run.isReadingPrompt)
    for job in jobs where !job.run.isReadingPrompt {
      // A token and what is guessed to follow it; who finds no room is first in the next pass.
      guard room > LookupDraft.longest else { break }
      served.append(job)
      guard let part = job.next(promptTokens: 1) else { continue }
      parts.append((job, part))
      room -= part.tokens.count
    }
    // Nobody waits for these, so they wait for nobody.
    for job in reading where job.request.isCancelled() {
      _ = job.next(promptTokens: 1)
    }
    let limit = parts.isEmpty ? room : min(room, Self.sharedPromptTokens)
    for job in reading where limit > 0 && !job.isFinished {
      guard let part = job.next(promptTokens: limit) else { continue }
      parts.insert((job, part), at: 0)
      break
    }
    if !parts.isEmpty { compute(parts) }

    let ids = Set(served.map { ObjectIdentifier($0) })
    jobs = jobs.filter { !ids.contains(ObjectIdentifier($0)) } + served
    jobs.removeAll(where: \.isFinished)
    isRunning = !jobs.isEmpty
    if isRunning { queue.async { [self] in pass() } }
  }

  private func compute(_ parts: [(job: Job, part: ForwardPass.Part)]) {
    let forward = forward ?? ForwardPass(model, batchSize: batchSize)
    self.forward = forward
    var failures: [Int: any Error] = [:]
    forward.step(parts.map(\.part)) { index, token, logits in
      guard failures[index] == nil else { return }
      do {
        try parts[index].job.run.receive(token, logits)
      } catch { failures[index] = error }
    }
    for (index, (job, _)) in parts.enumerated() {
      if let error = failures[index] {
        job.request.sequence.recover()
        job.finish(.failure(error))
      } else {
        job.run.settle()
      }
    }
  }
}
