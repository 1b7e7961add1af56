// One import for users: what the layers below promise is promised here too.
@_exported import Compute
@_exported import GGUF
@_exported import Generation
@_exported import Grammars
@_exported import Llama
@_exported import ModelHub
@_exported import Prompting
@_exported import Tokenization
