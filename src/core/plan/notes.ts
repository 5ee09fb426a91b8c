import type { Complaint } from '../spec/problem.js'
import type { Reason } from './plan.js'

/** Where the decisions of one plan leave their reasons, and what stands in its way. */
export class Notes {
  readonly reasons: Reason[] = []
  readonly complaints: Complaint[] = []

  because(subject: string, choice: string, why: string): void {
    this.reasons.push({ subject, choice, why })
  }

  refuse(complaint: Complaint): void {
    this.complaints.push(complaint)
  }
}
