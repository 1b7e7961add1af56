import SwiftSyntax
import SwiftSyntaxMacros

/// `@Guide`: writes nothing itself; `@Generable` reads it.
struct GuideMacro: PeerMacro {
  static func expansion(
    of node: AttributeSyntax, providingPeersOf declaration: some DeclSyntaxProtocol,
    in context: some MacroExpansionContext
  ) throws -> [DeclSyntax] { [] }
}
