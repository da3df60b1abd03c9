/** A training that goes on until the file is there, so that a test says when it ends; a rehearsal does not wait for it. */
export function patientTraining(file: string): string {
  return `import os, time
import wandb

with wandb.init() as run:
    for step in range(3):
        run.log({"val/loss": 1.0 / (step + 1)})
    while os.environ.get("HEPHAESTUS_REHEARSAL") != "1" and not os.path.exists(${JSON.stringify(file)}):
        time.sleep(0.2)
`;
}
