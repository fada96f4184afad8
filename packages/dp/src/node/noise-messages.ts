/**
 * What a noise queue and its thread say to each other.
 *
 * @module
 */
import type { NoiseValues } from '../noise/step-noise.ts';

/** A request for the noise of one step: the array for it, in memory that both threads see. */
export type NoiseRequest = NoiseValues;

/** The thread's answer when the oldest array that it holds is full. */
export const DRAWN = 'drawn';
