/** Where the demo tells how far it is; the command line has one that prints. */
export interface Stages {
  stage<T>(title: string, task: (say: (line: string) => void) => Promise<T>): Promise<T>
  show(text: string): void
}
