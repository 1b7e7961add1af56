// What a core can do at most: vector instructions in a loop that touches nothing else.
//
//   cc -O2 -march=native -pthread Benchmarks/peaks.c -o peaks && ./peaks
//
// Accumulators are named registers on purpose: an array of vectors is kept in memory by some compilers,
// and then the loop measures stores (it showed 2.4e9/s where the core does 3.7e9/s).
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static int operand[256] __attribute__((aligned(64)));

#define CLOBBERS                                                                             \
  "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9", "zmm10",   \
      "zmm11", "zmm12", "zmm13", "zmm14", "zmm15", "zmm31", "cc"
// What an instruction works on: its second factor from memory, as kernels read activations, or from a register; or a vector
// from memory alone.
#define FROM_MEMORY(place, sum) #place "(%1)%{1to16%},%%zmm31,%%zmm" #sum
#define FROM_REGISTER(place, sum) "%%zmm31,%%zmm31,%%zmm" #sum
#define LOADED(place, sum) #place "*16(%1),%%zmm" #sum
#define ONE(instruction, operands, place, sum) instruction " " operands(place, sum) "\n"
// Sixteen accumulators: an Intel starts two of these in a cycle, and each is ready after five.
#define LOOP(name, instruction, operands)                                                    \
  static void name(long rounds) {                                                            \
    const void *p = operand;                                                                 \
    __asm__ volatile("vpxorq %%zmm31,%%zmm31,%%zmm31\n1:\n"                                  \
                     ONE(instruction, operands, 0, 0) ONE(instruction, operands, 4, 1)       \
                     ONE(instruction, operands, 8, 2) ONE(instruction, operands, 12, 3)      \
                     ONE(instruction, operands, 16, 4) ONE(instruction, operands, 20, 5)     \
                     ONE(instruction, operands, 24, 6) ONE(instruction, operands, 28, 7)     \
                     ONE(instruction, operands, 32, 8) ONE(instruction, operands, 36, 9)     \
                     ONE(instruction, operands, 40, 10) ONE(instruction, operands, 44, 11)   \
                     ONE(instruction, operands, 48, 12) ONE(instruction, operands, 52, 13)   \
                     ONE(instruction, operands, 56, 14) ONE(instruction, operands, 60, 15)   \
                     "dec %0\njnz 1b\n"                                                      \
                     : "+r"(rounds)                                                          \
                     : "r"(p)                                                                \
                     : CLOBBERS, "memory");                                                  \
  }

LOOP(int8Dot, "vpdpbusd", FROM_MEMORY)
LOOP(int8DotOfRegisters, "vpdpbusd", FROM_REGISTER)
LOOP(int16Dot, "vpdpwssd", FROM_MEMORY)
LOOP(int16DotOfRegisters, "vpdpwssd", FROM_REGISTER)
LOOP(float32Fma, "vfmadd231ps", FROM_MEMORY)
LOOP(float32FmaOfRegisters, "vfmadd231ps", FROM_REGISTER)
LOOP(load, "vmovdqa64", LOADED)

static const long rounds = 50000000;
static void *onThread(void *loop) {
  ((void (*)(long))loop)(rounds);
  return 0;
}
static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static void measure(const char *name, void (*loop)(long), int products) {
  double start = seconds();
  loop(rounds);
  double one = 16 * rounds / (seconds() - start);
  pthread_t a, b;
  start = seconds();
  pthread_create(&a, 0, onThread, loop);
  pthread_create(&b, 0, onThread, loop);
  pthread_join(a, 0);
  pthread_join(b, 0);
  double two = 32 * rounds / (seconds() - start);
  printf("%s: %.2fe9 instructions/s on one thread, %.2fe9 on two", name, one / 1e9, two / 1e9);
  if (products) printf(": %.0fe9 multiply-adds/s", two * products / 1e9);
  printf("\n");
}

int main(void) {
  measure("vpdpbusd", int8Dot, 64);
  measure("vpdpbusd of registers", int8DotOfRegisters, 64);
  measure("vpdpwssd", int16Dot, 32);
  measure("vpdpwssd of registers", int16DotOfRegisters, 32);
  measure("vfmadd231ps", float32Fma, 16);
  measure("vfmadd231ps of registers", float32FmaOfRegisters, 16);
  measure("loads of 64 bytes", load, 0);
}
