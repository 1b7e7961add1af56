import ArgumentParser
import Foundation
import Swiftlet

/// What a reply may be.
struct GrammarArguments: ParsableArguments {
  @Option(help: "A file with a grammar in GBNF (llama.cpp's notation) that the reply keeps to.")
  var grammar: String?

  @Option(help: "A JSON Schema, or a file with one, that the reply is valid under.")
  var jsonSchema: String?

  @Flag(help: "End a reply that says the same over and over; with a grammar that is always so.")
  var stopLoops = false

  func validate() throws {
    if grammar != nil, jsonSchema != nil {
      throw ValidationError("--grammar and --json-schema: give one of them")
    }
  }

  /// Puts what was asked for into `options`.
  func apply(to options: inout DecodingOptions, _ language: LanguageModel) throws {
    options.stopsLoops = stopLoops || grammar != nil || jsonSchema != nil
    if let grammar {
      options.grammar = try language.tokenGrammar(Grammar(gbnf: try Self.text(ofFile: grammar)))
    }
    if let jsonSchema {
      let isText = jsonSchema.drop(while: \.isWhitespace).first == "{"
      let text = isText ? jsonSchema : try Self.text(ofFile: jsonSchema)
      options.grammar = try language.tokenGrammar(Grammar(jsonSchema: text))
    }
  }

  private static func text(ofFile path: String) throws -> String {
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      guard let text = String(bytes: data, encoding: .utf8) else {
        throw ValidationError("\(path): not UTF-8")
      }
      return text
    } catch let error as ValidationError { throw error } catch {
      throw ValidationError("\(path): \(error.localizedDescription)")
    }
  }
}
