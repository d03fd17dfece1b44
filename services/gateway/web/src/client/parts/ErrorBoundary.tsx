/**
 * Stops an error at this part of the page. If the part cannot be drawn, the fallback takes its place.
 */

import { Component, Fragment, type ReactNode } from 'react';

export interface ErrorBoundaryProps {
  /** Draws the replacement. Calling `retry` draws the part anew. */
  fallback: (retry: () => void) => ReactNode;
  /** What the part shows. If this changes, the part is drawn again. */
  resetKey?: unknown;
  children: ReactNode;
}

interface State {
  hasError: boolean;
  attempt: number;
}

export class ErrorBoundary extends Component<ErrorBoundaryProps, State> {
  override state: State = { hasError: false, attempt: 0 };

  static getDerivedStateFromError(): Partial<State> {
    return { hasError: true };
  }

  retry = (): void => this.setState(({ attempt }) => ({ hasError: false, attempt: attempt + 1 }));

  override componentDidUpdate(before: ErrorBoundaryProps): void {
    if (this.state.hasError && before.resetKey !== this.props.resetKey) this.retry();
  }

  override render(): ReactNode {
    const { fallback, children } = this.props;
    if (this.state.hasError) return fallback(this.retry);
    return <Fragment key={this.state.attempt}>{children}</Fragment>;
  }
}
