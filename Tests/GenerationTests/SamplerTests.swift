import Foundation
import Testing

@testable import Generation

@Suite struct SamplerTests {
  private func sample(_ logits: [Float], _ options: SamplingOptions, recent: [Int] = []) -> Int {
    var sampler = Sampler(options)
    for id in recent { sampler.accept(id) }
    var logits = logits
    return logits.withUnsafeMutableBufferPointer { sampler.sample($0) }
  }

  @Test("the generator is MT19937: the C++ standard names its 10000th number")
  func mersenneTwister() {
    var random = MersenneTwister(seed: 5489)
    var last: UInt32 = 0
    for _ in 0..<10_000 { last = random.next() }
    #expect(last == 4_123_659_995)
  }

  @Test("temperature 0 takes the likeliest, of equals the lowest id")
  func greedy() {
    #expect(sample([1, 3, 3, 2], .greedy) == 1)
    #expect(sample([-1, -3], .greedy) == 0)
  }

  @Test("penalties divide positive and multiply negative logits of recent tokens")
  func penalties() {
    var options = SamplingOptions.greedy
    options.repeatPenalty = 2
    #expect(sample([4, 3], options, recent: [0]) == 1)
    #expect(sample([-1, -1.5], options, recent: [0]) == 1)
    options.repeatPenalty = 1
    options.presencePenalty = 2
    #expect(sample([4, 3], options, recent: [0]) == 1)
    options.presencePenalty = 0
    options.frequencyPenalty = 0.6
    #expect(sample([4, 3], options, recent: [0]) == 0)
    #expect(sample([4, 3], options, recent: [0, 0]) == 1)
    options.penaltyWindow = 1
    #expect(sample([4, 3], options, recent: [0, 0, 1]) == 0)
  }

  @Test("top-k keeps the k likeliest in order, equals by id")
  func topK() {
    var logits: [Float] = [0, 5, 1, 5, 3, -1]
    logits.withUnsafeMutableBufferPointer { logits in
      #expect(Sampler.top(3, of: logits).map(\.id) == [1, 3, 4])
      #expect(Sampler.top(0, of: logits).map(\.id) == [1, 3, 4, 2, 0, 5])
    }
  }

  @Test("top-p, min-p and typical leave only what their formulas keep")
  func nucleus() {
    // Probabilities 0.5, 0.3, 0.15, 0.05.
    let logits: [Float] = [0.5, 0.3, 0.15, 0.05].map { Float(log($0)) }
    func seen(_ change: (inout SamplingOptions) -> Void) -> Set<Int> {
      var options = SamplingOptions()
      options.temperature = 1
      options.topK = 0
      options.topP = 1
      options.minP = 0
      change(&options)
      return Set(
        (0..<400).map { seed in
          options.seed = UInt32(seed)
          return sample(logits, options)
        })
    }
    #expect(seen { _ in } == [0, 1, 2, 3])
    #expect(seen { $0.topP = 0.79 } == [0, 1])
    #expect(seen { $0.minP = 0.5 } == [0, 1])
    #expect(seen { $0.topK = 3 } == [0, 1, 2])
    // Entropy is 1.142; distances 0.449, 0.062, 0.755, 1.854: the second comes first.
    #expect(seen { $0.typicalP = 0.2 } == [1])
  }

  @Test("draws follow the probabilities: chi-squared below its 0.001 bound")
  func distribution() {
    let probabilities = [0.5, 0.3, 0.15, 0.05]
    var options = SamplingOptions()
    options.temperature = 1
    options.topP = 1
    options.minP = 0
    options.seed = 42
    var sampler = Sampler(options)
    var logits = probabilities.map { Float(log($0)) }
    var counts = [0, 0, 0, 0]
    logits.withUnsafeMutableBufferPointer { logits in
      for _ in 0..<100_000 { counts[sampler.sample(logits)] += 1 }
    }
    let chiSquared = zip(counts, probabilities).reduce(0.0) {
      let expected = $1.1 * 100_000
      return $0 + (Double($1.0) - expected) * (Double($1.0) - expected) / expected
    }
    #expect(chiSquared < 16.27)
  }

  @Test("stop strings end the text wherever tokens split them, and nothing of them is shown")
  func stopStrings() {
    func shown(_ parts: [String], _ stops: [String]) -> (String, Bool) {
      var watcher = StopStrings(stops)
      var text = ""
      for part in parts {
        switch watcher.append(part) {
        case .text(let more): text += more
        case .stopped(let more): return (text + more, true)
        }
      }
      return (text + watcher.finish(), false)
    }
    #expect(shown(["Hello EN", "D there"], ["END"]) == ("Hello ", true))
    #expect(shown(["Hello EN", "TRY"], ["END"]) == ("Hello ENTRY", false))
    #expect(shown(["a", "b", "c"], ["bcd", "c"]) == ("ab", true))
    #expect(shown(["no stop"], []) == ("no stop", false))
    #expect(shown(["E"], ["END"]) == ("E", false))
  }
}
