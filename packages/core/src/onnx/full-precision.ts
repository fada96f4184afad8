/**
 * Products of float32 numbers in float32 on NVIDIA's processors.
 *
 * @module
 */
import process from 'node:process';

/**
 * NVIDIA's libraries round the operands of products to 11 bits (TF32) unless they are told otherwise, and `onnxruntime-node` and TensorFlow.js have no option for it; the
 * libraries' own switch is this variable of the process, which they read when they are first used. To be called before. What fast mode is accounted for does not hold with such
 * products; they are found where a training begins, whatever became of the variable (in a worker thread with an environment of its own it is not seen), and refused.
 */
export function keepFullPrecision(): void {
  process.env['NVIDIA_TF32_OVERRIDE'] = '0';
}
