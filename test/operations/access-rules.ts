/** Who may call a method: anyone, operators, or these services alone, which the gateway does not route at all. */
export type Rule = "anyone" | "operator" | readonly string[];

/**
 * Who may call what, as the product is meant to be: written down apart from the contract, so that a slip there shows.
 * A method without a row here fails the test: decide who may call it, and add one.
 */
export const RULES: Readonly<Record<string, Rule>> = {
  "boxoffice.catalog.v1.CatalogService/GetEvent": "anyone",
  "boxoffice.catalog.v1.CatalogService/ListEvents": "anyone",
  "boxoffice.catalog.v1.CatalogService/CreateEvent": "operator",
  "boxoffice.catalog.v1.CatalogService/UpdateEvent": "operator",
  "boxoffice.catalog.v1.CatalogService/PublishEvent": "operator",
  "boxoffice.catalog.v1.CatalogService/CancelEvent": "operator",
  "boxoffice.catalog.v1.CatalogService/AddTicketType": "operator",
  "boxoffice.catalog.v1.CatalogService/UpdateTicketType": "operator",
  "boxoffice.catalog.v1.CatalogService/ListAuditEntries": "operator",
  "boxoffice.catalog.v1.FeedService/Export": ["stats"],

  "boxoffice.reservation.v1.ReservationService/GetAvailability": "anyone",
  "boxoffice.reservation.v1.ReservationService/WatchAvailability": "anyone",
  "boxoffice.reservation.v1.ReservationService/Reserve": "anyone",
  "boxoffice.reservation.v1.ReservationService/GetReservation": "anyone",
  "boxoffice.reservation.v1.ReservationService/CancelReservation": "anyone",
  "boxoffice.reservation.v1.ReservationService/ListReservations": "operator",
  "boxoffice.reservation.v1.ReservationService/ExportReservations": "operator",
  "boxoffice.reservation.v1.ReservationService/PauseSales": "operator",
  "boxoffice.reservation.v1.ReservationService/ResumeSales": "operator",
  "boxoffice.reservation.v1.ReservationService/Recount": "operator",
  "boxoffice.reservation.v1.ReservationService/ListAuditEntries": "operator",
  "boxoffice.reservation.v1.SalesService/OpenSales": ["catalog"],
  "boxoffice.reservation.v1.SalesService/ChangeTicketType": ["catalog"],
  "boxoffice.reservation.v1.SalesService/CloseSales": ["catalog"],
  "boxoffice.reservation.v1.SalesService/BeginPayment": ["payment"],
  "boxoffice.reservation.v1.SalesService/ConfirmPayment": ["payment"],
  "boxoffice.reservation.v1.SalesService/AbortPayment": ["payment"],
  "boxoffice.reservation.v1.SalesService/ReleasePaid": ["payment"],
  "boxoffice.reservation.v1.SalesService/BeginPayments": ["payment"],
  "boxoffice.reservation.v1.SalesService/ConfirmPayments": ["payment"],
  "boxoffice.reservation.v1.SalesService/AbortPayments": ["payment"],
  "boxoffice.reservation.v1.SalesService/ReleasePaids": ["payment"],
  "boxoffice.reservation.v1.SalesService/ReserveMany": ["gateway"],
  "boxoffice.reservation.v1.SalesService/Export": ["stats"],

  "boxoffice.payment.v1.PaymentService/PayReservation": "anyone",
  "boxoffice.payment.v1.PaymentService/GetPayment": "anyone",
  "boxoffice.payment.v1.PaymentService/ListPayments": "operator",
  "boxoffice.payment.v1.PaymentService/ResolvePayment": "operator",
  "boxoffice.payment.v1.PaymentService/RefundPayment": "operator",
  "boxoffice.payment.v1.PaymentService/ListAuditEntries": "operator",
  "boxoffice.payment.v1.LedgerService/Export": ["stats"],

  "boxoffice.stats.v1.StatsService/GetOverview": "operator",
  "boxoffice.stats.v1.StatsService/GetEventStats": "operator",
  "boxoffice.stats.v1.StatsService/ListEventStats": "operator",
  "boxoffice.stats.v1.StatsService/GetCategoryStats": "operator",
  "boxoffice.stats.v1.StatsService/ListCategoryStats": "operator",
  "boxoffice.stats.v1.StatsService/GetSalesTimeline": "operator",
  "boxoffice.stats.v1.StatsService/WatchEventStats": "operator",
  "boxoffice.stats.v1.StatsService/ExportEventStats": "operator",
  "boxoffice.stats.v1.StatsService/RebuildStats": "operator",
  "boxoffice.stats.v1.StatsService/VerifyStats": "operator",
  "boxoffice.stats.v1.StatsService/ListStatsTasks": "operator",
};
