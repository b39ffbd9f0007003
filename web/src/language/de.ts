import type { Messages } from "./en.ts";

const karten = (count: string, isOne: boolean) => `${count} ${isOne ? "Karte" : "Karten"}`;

/** Everything that the shop says, in German. */
export const de: Messages = {
  brand: "Boxoffice",
  skipToContent: "Zum Inhalt",
  free: "Kostenlos",
  loading: "Wird geladen …",
  tryAgain: "Noch einmal versuchen",
  close: "Schließen",
  copy: "Kopieren",
  copied: "Kopiert",
  language: "Sprache",
  languages: { en: "English", de: "Deutsch" },
  theme: "Farben",
  themes: { system: "Wie das System", light: "Hell", dark: "Dunkel" },
  footer: "Die Zeiten gelten am Ort der Veranstaltung. Alle Preise sind Endpreise.",
  offline:
    "Sie sind offline. Die Angaben hier können veraltet sein; sobald die Verbindung wieder steht, geht es von selbst weiter.",
  reconnecting: "Die Kasse antwortet gerade nicht. Wir versuchen es weiter …",
  notFound: {
    title: "Hier sitzt niemand",
    advice: "Unter dieser Adresse gibt es keine Seite.",
    back: "Zu den Veranstaltungen",
  },

  nav: { events: "Veranstaltungen", tickets: "Ihre Karten", operations: "Leitstand" },

  events: {
    title: "Veranstaltungen",
    lead: "Karten auswählen, und sie sind für Sie zurückgelegt, während Sie bezahlen.",
    search: "Veranstaltung oder Ort suchen",
    clearSearch: "Suche löschen",
    found: (count, isOne) => `${count} ${isOne ? "Veranstaltung" : "Veranstaltungen"}`,
    more: "Weitere Veranstaltungen",
    empty: {
      title: "Noch ist nichts im Verkauf",
      advice:
        "Schauen Sie bald wieder vorbei: Neue Veranstaltungen erscheinen hier, sobald sie angekündigt sind.",
    },
    noMatch: (query) => ({
      title: `Nichts gefunden zu „${query}“`,
      advice: "Versuchen Sie es mit weniger Wörtern oder mit dem Ort.",
    }),
    from: (price) => `ab ${price}`,
    cancelled: "Abgesagt",
    soldOut: "Ausverkauft",
    fewLeft: "Nur noch wenige",
    onSaleFrom: (time) => `Verkauf ab ${time}`,
    paused: "Verkauf unterbrochen",
    closed: "Verkauf beendet",
  },

  event: {
    back: "Alle Veranstaltungen",
    tickets: "Karten",
    cancelled: {
      title: "Diese Veranstaltung ist abgesagt",
      advice: "Es werden keine Karten mehr verkauft. Wer bezahlt hat, bekommt sein Geld zurück.",
    },
    live: "Live",
    notLive: "Wird alle paar Sekunden aktualisiert",
    status: {
      left: (count) => `${count} verfügbar`,
      few: (count) => `Nur noch ${count}`,
      soldOut: "Ausverkauft",
      notYet: (time) => `Vorverkauf ab ${time}`,
      paused: "Unterbrochen",
      closed: "Verkauf beendet",
      cancelled: "Abgesagt",
    },
    standstill: {
      soldOut: {
        title: "Ausverkauft",
        advice: "Karten, die andere nicht bezahlen, kommen zurück: Diese Seite zeigt sie sofort.",
      },
      paused: {
        title: "Der Verkauf ist unterbrochen",
        advice: "Er geht bald weiter, und diese Seite mit ihm. Ihre Auswahl bleibt erhalten.",
      },
      closed: {
        title: "Der Verkauf ist beendet",
        advice: "Für diese Veranstaltung werden keine Karten mehr verkauft.",
      },
    },
    opensIn: "Der Vorverkauf beginnt in",
    days: (count) => `${count} ${count === 1 ? "Tag" : "Tagen"}`,
    opensSoon: "Der Vorverkauf beginnt jeden Moment …",
    stayHere: "Bleiben Sie auf dieser Seite: Der Verkauf öffnet von selbst.",
    quantityOf: (type) => `Anzahl: ${type}`,
    more: (type) => `Eine mehr: ${type}`,
    less: (type) => `Eine weniger: ${type}`,
    limit: (most) => `Höchstens ${most} je Bestellung`,
    limitReached: (most) => `Mehr als ${most} sind je Bestellung nicht möglich`,
    fewerNow: (count) => `Nur noch ${count} da: Ihre Auswahl wurde verringert`,
    goneNow: "Soeben ausverkauft: aus Ihrer Auswahl entfernt",
    choose: "Wählen Sie Ihre Karten",
    total: "Summe",
    chosen: (count, isOne) => karten(count, isOne),
    reserve: "Reservieren",
    reserving: "Wird reserviert …",
    heldFor: "Noch wird nichts abgebucht: Ihre Karten sind zurückgelegt, während Sie bezahlen.",
    contact: "Name und E-Mail angeben (freiwillig)",
    contactHint: "Nur die Kasse sieht sie, um Ihre Bestellung zu finden, wenn Sie nachfragen.",
    name: "Name",
    email: "E-Mail",
    emailInvalid: "Das ist keine E-Mail-Adresse.",
    pending: {
      title: "Ihre letzte Bestellung ist vielleicht schon angekommen",
      advice: "Reservieren Sie noch einmal, um sie zu sehen: Sie bekommen sie nicht doppelt.",
    },
    yourHold: {
      title: "Für Sie sind Karten zurückgelegt",
      advice: (time) => `Zeit zum Bezahlen: ${time}`,
    },
    toHold: "Weiter zur Zahlung",
  },

  reservation: {
    title: "Ihre Reservierung",
    none: {
      title: "In dieser Adresse steht keine Reservierung",
      advice: "Der Link zu einer Reservierung endet mit # und einer langen Nummer. Wurde er abgeschnitten?",
    },
    timeLeft: "Zeit zum Bezahlen",
    held: "Ihre Karten sind zurückgelegt",
    heldUntil: "Sie gehören Ihnen, bis die Zeit um ist. Sie können diese Seite neu laden oder weitergeben.",
    hurry: "Weniger als eine Minute.",
    items: "Karten",
    total: "Summe",
    each: (price) => `je ${price}`,
    reference: "Reservierungsnummer",
    referenceHint:
      "Wer sie hat, kann diese Reservierung sehen und nutzen: Behandeln Sie sie wie ein Passwort.",
    link: "Link kopieren",
    pay: {
      title: "Zahlung",
      sandbox: "Testbetrieb: Es fließt kein Geld. Wählen Sie, was die Karte tun soll.",
      cards: {
        works: { name: "Karte, die funktioniert", hint: "Die Zahlung gelingt" },
        declined: { name: "Karte, die abgelehnt wird", hint: "Die Bank lehnt sie ab" },
        fails: { name: "Karte mit Störung", hint: "Der Zahlungsdienst weist die Zahlung zurück" },
        foreign: { name: "Karte in US-Dollar", hint: "Diese Kasse nimmt nur Euro" },
      },
      submit: (total) => `${total} bezahlen`,
      submitFree: "Bestätigen",
      paying: "Zahlung läuft …",
      notTwice: "Einmal drücken genügt. Auch wer zweimal drückt, zahlt nur einmal.",
      slow: {
        title: "Das dauert länger als sonst",
        advice: "Bitte bleiben Sie: Ihre Karten bleiben zurückgelegt.",
      },
    },
    processing: {
      title: "Ihre Zahlung wird bearbeitet",
      advice:
        "Das dauert meist nur Sekunden. Ihre Karten bleiben so lange zurückgelegt. Bitte zahlen Sie nicht noch einmal.",
    },
    unknown: {
      title: "Wir klären, was aus Ihrer Zahlung wurde",
      advice:
        "Der Zahlungsdienst hat nicht geantwortet. Bis das geklärt ist, bleiben Ihre Karten zurückgelegt, und Sie zahlen nicht doppelt. " +
        "Sie können diese Seite schließen: Ihr Link zeigt, wie es ausging.",
    },
    paid: {
      title: "Sie gehören Ihnen",
      advice: "Die Zahlung ist eingegangen. Zeigen Sie am Einlass die Reservierungsnummer.",
      print: "Drucken",
      more: "Weitere Veranstaltungen",
    },
    expired: {
      title: "Die Zeit zum Bezahlen ist um",
      advice:
        "Diese Karten sind wieder im Verkauf, und es wurde nichts abgebucht. Wenn noch welche da sind, wählen Sie neu.",
    },
    cancelled: {
      title: "Diese Reservierung ist storniert",
      advice: "Die Karten sind wieder im Verkauf.",
    },
    refunded: {
      title: "Diese Reservierung wurde erstattet",
      advice: "Das Geld ist auf dem Weg zurück auf Ihre Karte. Die Eintrittskarten gelten nicht mehr.",
    },
    refunding: {
      title: "Ihre Erstattung läuft",
      advice: "Das Geld geht auf Ihre Karte zurück.",
    },
    again: "Neu wählen",
    cancel: {
      open: "Karten zurückgeben",
      title: "Karten zurückgeben?",
      advice: "Sie sind sofort wieder im Verkauf, und jemand anderes kann sie nehmen.",
      confirm: "Zurückgeben",
      keep: "Behalten",
      busy: "Wird zurückgegeben …",
    },
  },

  yours: {
    title: "Ihre Karten",
    lead: "Reservierungen aus diesem Browser. Nur dieser Browser merkt sie sich.",
    empty: {
      title: "Noch keine Karten",
      advice: "Was Sie mit diesem Browser reservieren, erscheint hier.",
    },
    states: {
      held: (time) => `Zurückgelegt, noch ${time} zum Bezahlen`,
      paying: "Zahlung läuft",
      paid: "Bezahlt",
      expired: "Abgelaufen",
      cancelled: "Storniert",
    },
    open: "Öffnen",
    forget: "Vergessen",
    gone: "Diese Reservierung ist nicht mehr bekannt",
  },

  refusals: {
    INVALID_REQUEST: () => ({ title: "Daran stimmt etwas nicht", advice: "Bitte prüfen Sie die Angaben." }),
    REQUEST_ID_REUSED: () => ({
      title: "Die Bestellung wurde beim Absenden verändert",
      advice: "Bitte senden Sie sie noch einmal.",
    }),
    CURRENCY_NOT_SUPPORTED: () => ({
      title: "Die Währung dieser Karte wird nicht angenommen",
      advice: "Es wurde nichts abgebucht. Zahlen Sie mit einer Karte in Euro.",
    }),
    EVENT_NOT_FOUND: () => ({
      title: "Diese Veranstaltung gibt es nicht",
      advice: "Vielleicht wurde sie zurückgezogen.",
    }),
    TICKET_TYPE_NOT_FOUND: () => ({
      title: "Diese Karten werden nicht mehr verkauft",
      advice: "Bitte wählen Sie neu.",
    }),
    RESERVATION_NOT_FOUND: () => ({
      title: "Diese Reservierung gibt es nicht",
      advice: "Ist der Link vollständig? Er endet mit # und einer langen Nummer.",
    }),
    PAYMENT_NOT_FOUND: () => ({
      title: "Diese Zahlung gibt es nicht",
      advice: "Bitte prüfen Sie die Nummer.",
    }),
    SOLD_OUT: ({ available, type }) => ({
      title: available
        ? `Nur noch ${available} da${type ? `: ${type}` : ""}`
        : `Ausverkauft${type ? `: ${type}` : ""}`,
      advice: available
        ? "Andere waren schneller. Nehmen Sie weniger oder eine andere Kartenart."
        : "Andere waren schneller. Was nicht bezahlt wird, kommt zurück: In ein paar Minuten noch einmal zu schauen kann sich lohnen.",
    }),
    LIMIT_EXCEEDED: ({ most }) => ({
      title: most
        ? `Davon sind höchstens ${most} je Bestellung möglich`
        : "Das sind zu viele für eine Bestellung",
      advice: "Bitte nehmen Sie weniger.",
    }),
    SALES_NOT_OPEN: () => ({
      title: "Der Vorverkauf hat noch nicht begonnen",
      advice: "Diese Seite zeigt, wann es so weit ist, und öffnet von selbst.",
    }),
    SALES_CLOSED: () => ({
      title: "Der Verkauf ist beendet",
      advice: "Dafür werden keine Karten mehr verkauft.",
    }),
    SALES_PAUSED: () => ({
      title: "Der Verkauf ist unterbrochen",
      advice: "Es geht in Kürze weiter. Ihre Auswahl bleibt hier.",
    }),
    EVENT_CANCELLED: () => ({
      title: "Diese Veranstaltung ist abgesagt",
      advice: "Es werden keine Karten mehr verkauft.",
    }),
    EVENT_NOT_DRAFT: () => ({
      title: "Diese Veranstaltung ist veröffentlicht",
      advice: "So lassen sich nur Entwürfe ändern.",
    }),
    RESERVATION_EXPIRED: () => ({
      title: "Die Zeit zum Bezahlen ist um",
      advice: "Es wurde nichts abgebucht. Wenn noch Karten da sind, wählen Sie neu.",
    }),
    RESERVATION_EXPIRING: () => ({
      title: "Zum Bezahlen war zu wenig Zeit übrig",
      advice: "Es wurde nichts abgebucht. Wenn noch Karten da sind, wählen Sie neu.",
    }),
    RESERVATION_CANCELLED: () => ({
      title: "Diese Reservierung ist storniert",
      advice: "Es wurde nichts abgebucht.",
    }),
    PAYMENT_IN_PROGRESS: () => ({
      title: "Eine Zahlung läuft schon",
      advice: "Warten Sie sie ab: Sie zahlen nicht doppelt.",
    }),
    CARD_DECLINED: ({ timeLeft }) => ({
      title: "Ihre Karte wurde abgelehnt",
      advice: `Es wurde nichts abgebucht. Versuchen Sie eine andere Karte oder fragen Sie Ihre Bank. Ihre Karten sind weiter zurückgelegt${timeLeft ? `, noch ${timeLeft}` : ""}.`,
    }),
    PAYMENT_FAILED: ({ timeLeft }) => ({
      title: "Die Zahlung hat nicht geklappt",
      advice: `Es wurde nichts abgebucht. Versuchen Sie es noch einmal oder mit einer anderen Karte. Ihre Karten sind weiter zurückgelegt${timeLeft ? `, noch ${timeLeft}` : ""}.`,
    }),
    PAYMENT_NOT_UNKNOWN: () => ({
      title: "Wie diese Zahlung ausging, ist bekannt",
      advice: "Es gibt nichts zu klären.",
    }),
    PAYMENT_NOT_REFUNDABLE: () => ({
      title: "Diese Zahlung lässt sich nicht erstatten",
      advice: "Das geht nur bei einer Zahlung, die gelungen ist.",
    }),
    QUANTITY_BELOW_RESERVED: () => ({
      title: "Es sind schon mehr reserviert",
      advice: "Die Anzahl kann nicht kleiner sein als das, was zurückgelegt und bezahlt ist.",
    }),
    RESERVATION_ALREADY_PAID: () => ({
      title: "Das ist schon bezahlt",
      advice: "Es wird nicht noch einmal abgebucht.",
    }),
    VERSION_CONFLICT: () => ({
      title: "Jemand anderes hat das inzwischen geändert",
      advice: "Sehen Sie sich den neuen Stand an und versuchen Sie es noch einmal.",
    }),
    UNAUTHENTICATED: () => ({
      title: "Bitte melden Sie sich an",
      advice: "Dafür braucht es ein gültiges Token des Betriebs.",
    }),
    PERMISSION_DENIED: () => ({
      title: "Das dürfen Sie nicht",
      advice: "Dafür braucht es ein Token des Betriebs.",
    }),
    RATE_LIMITED: () => ({
      title: "Das war viel auf einmal",
      advice: "Bitte warten Sie ein paar Sekunden und versuchen Sie es noch einmal.",
    }),
    OVERLOADED: () => ({
      title: "Gerade sind sehr viele Leute hier",
      advice: "Ihre Bestellung wurde nicht angenommen. Versuchen Sie es noch einmal: Doppelt wird sie nicht.",
    }),
    DEPENDENCY_UNAVAILABLE: () => ({
      title: "Das geht gerade nicht",
      advice:
        "Es wurde nichts abgebucht, und was für Sie zurückgelegt ist, bleibt es. Versuchen Sie es gleich noch einmal.",
    }),
    UNREACHABLE: () => ({
      title: "Die Kasse ist nicht erreichbar",
      advice: "Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal: Doppelt gekauft wird nichts.",
    }),
    UNEXPECTED: () => ({
      title: "Bei uns ist etwas schiefgegangen",
      advice: "Versuchen Sie es noch einmal: Doppelt gekauft wird nichts.",
    }),
  },
};
