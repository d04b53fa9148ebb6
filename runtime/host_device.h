#pragma once
// Marks a function that host code and CUDA kernels share.
#ifdef __CUDACC__
#define CAIRN_HD __host__ __device__
#else
#define CAIRN_HD
#endif
