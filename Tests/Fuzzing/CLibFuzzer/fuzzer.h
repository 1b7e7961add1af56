#include <stddef.h>
#include <stdint.h>

// llvm-project, compiler-rt/include/fuzzer/FuzzerInterface.h style entry of libFuzzer.
int LLVMFuzzerRunDriver(int *argc, char ***argv,
                        int (*body)(const uint8_t *bytes, size_t count));
