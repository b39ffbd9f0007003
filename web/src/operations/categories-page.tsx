import { type CategoryStats, StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { Pending } from "../ui/pending.tsx";
import { useTitle } from "../ui/use-title.ts";
import { StockBar } from "./stock-bar.tsx";
import { TableFrame } from "./table-frame.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 3000;

/** Hundreds of categories would be no categories. */
const PAGE_SIZE = 500;

/** How the tickets of each category sell, across all events. */
export function CategoriesPage() {
  const { categories: say } = useWords();
  useTitle(say.title);
  const { data, error, refetch } = useQuery(
    StatsService.method.listCategoryStats,
    { pageSize: PAGE_SIZE },
    { refetchInterval: POLL_MS },
  );
  return (
    <>
      <div className="intro">
        <h1>{say.title}</h1>
        <p>{say.lead}</p>
      </div>
      {data?.categoryStats.length === 0 && <Empty {...say.empty} />}
      {data && data.categoryStats.length > 0 && <Table categories={data.categoryStats} />}
      {!data && <Pending error={error} onRetry={() => void refetch()} lines={5} />}
    </>
  );
}

function Table({ categories }: { categories: readonly CategoryStats[] }) {
  const { format } = useLanguage();
  const { categories: say, figures } = useWords();
  return (
    <section className="panel">
      <TableFrame label={say.title}>
        <thead>
          <tr>
            <th scope="col">{say.category}</th>
            <th scope="col" className="number">
              {say.events}
            </th>
            <th scope="col">{figures.sellThrough}</th>
            <th scope="col" className="number">
              {figures.reserved}
            </th>
            <th scope="col" className="number">
              {figures.paid}
            </th>
            <th scope="col" className="number">
              {figures.held}
            </th>
            <th scope="col" className="number">
              {figures.available}
            </th>
            <th scope="col" className="number">
              {figures.quantity}
            </th>
            <th scope="col" className="number">
              {figures.revenue}
            </th>
          </tr>
        </thead>
        <tbody>
          {categories.map((category) => (
            <tr key={category.category}>
              <th scope="row" dir="auto">
                {category.category}
              </th>
              <td className="number">{format.count(category.events)}</td>
              <td>
                <span className="sold">
                  {format.percent(category.sellThrough)}
                  <StockBar {...category} />
                </span>
              </td>
              <td className="number">{format.count(category.reserved)}</td>
              <td className="number">{format.count(category.paid)}</td>
              <td className="number">{format.count(category.held)}</td>
              <td className="number">{format.count(category.available)}</td>
              <td className="number">{format.count(category.quantity)}</td>
              <td className="number">{format.money(category.revenue)}</td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </section>
  );
}
