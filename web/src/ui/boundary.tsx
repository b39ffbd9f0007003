import { Component, type ReactNode } from "react";

/**
 * Stands in for a page that broke, or whose files are gone because a newer version was put in their place: loading
 * it anew is what helps in both cases. It knows no language, because that may be what broke.
 */
export class Boundary extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError(): { isBroken: boolean } {
    return { isBroken: true };
  }

  override render(): ReactNode {
    if (!this.state.isBroken) return this.props.children;
    return (
      <main className="page">
        <div className="empty" role="alert">
          <h1>This page broke · Diese Seite ist defekt</h1>
          <p>Nothing is bought twice. · Nichts wird doppelt gekauft.</p>
          <button type="button" className="button" onClick={() => location.reload()}>
            Load again · Neu laden
          </button>
        </div>
      </main>
    );
  }
}
