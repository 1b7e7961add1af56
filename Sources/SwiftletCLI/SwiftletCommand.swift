import ArgumentParser

@main
struct SwiftletCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swiftlet",
    abstract: "Small language models on the CPU, in pure Swift.",
    discussion: """
      Example:
        swiftlet run "What is the capital of France?"
      """,
    version: "0.1.0",
    subcommands: [
      RunCommand.self, ChatCommand.self, TranslateCommand.self, SummarizeCommand.self,
      RewriteCommand.self,
      TitleCommand.self, SuggestCommand.self, InspectCommand.self, TokenizeCommand.self,
      DetokenizeCommand.self, TemplateCommand.self, PerplexityCommand.self, QuantizeCommand.self,
      LogitsCommand.self, BenchCommand.self, TuneCommand.self, ModelsCommand.self,
      ProviderCommand.self,
      DoctorCommand.self,
    ])
}
