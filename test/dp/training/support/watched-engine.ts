import { referenceEngine } from '@sotto/core/ops';
import type { CompiledProgram, Engine } from '@sotto/core/ops';

type Run = CompiledProgram['run'];

/** The reference engine, with `run` in place of the runs of each program; it is told the program's name and what the engine itself would do. */
export function watchedEngine(
  run: (name: string, own: Run, ...given: Parameters<Run>) => ReturnType<Run>,
  lanes?: number,
): Engine {
  return {
    ...referenceEngine,
    ...(lanes === undefined ? {} : { lanes }),
    async compile(program): Promise<CompiledProgram> {
      const compiled = await referenceEngine.compile(program);
      const own: Run = (...given) => compiled.run(...given);
      return {
        outputs: compiled.outputs,
        dispose: () => compiled.dispose(),
        run: (...given) => run(program.name, own, ...given),
      };
    },
  };
}
