// Buys something with the client that openapi-typescript and openapi-fetch make of the document.
// `node buy.js URL USERNAME PASSWORD` prints the order as JSON.
import { randomUUID } from "node:crypto";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Product = components["schemas"]["Product"];
type Order = components["schemas"]["Order"];
type TokenPair = components["schemas"]["TokenPair"];

const [baseUrl = "", username = "", password = ""] = process.argv.slice(2);
const shop = createClient<paths>({ baseUrl });

/** What was asked for; an answer that is a problem ends the program with its type. */
function good<T>(answer: { data?: T; error?: unknown; response: Response }, status: number): T {
  if (answer.response.status !== status || answer.data === undefined) {
    throw new Error(`${answer.response.url}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

function check(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}

async function signIn(): Promise<TokenPair> {
  const body = { username, email: `${username}@example.com`, password, repeat_password: password };
  const account = good(await shop.POST("/register/", { body }), 201);
  check(account.username === username && !account.email_verified, "the account is not the one that was asked for");
  const first = good(await shop.POST("/token/", { body: { username, password } }), 200);
  const second = good(await shop.POST("/token/refresh/", { body: { refresh: first.refresh } }), 200);
  const spent = await shop.POST("/token/refresh/", { body: { refresh: first.refresh } });
  check(spent.error?.type === "/problems/not-authenticated", "a refresh token works twice");
  return second;
}

async function browse(): Promise<Product[]> {
  const query = { limit: 4, ordering: "-price" };
  const first = good(await shop.GET("/products/", { params: { query } }), 200);
  check(first.next !== null, "there is no second page");
  const cursor = new URL(first.next).searchParams.get("cursor") ?? "";
  const second = good(await shop.GET("/products/", { params: { query: { ...query, cursor } } }), 200);
  const products = [...first.results, ...second.results];
  const prices = products.map((product) => Number(product.price));
  check(prices.every((price, i) => i === 0 || price <= (prices[i - 1] ?? 0)), `not in order: ${prices}`);
  check(new Set(products.map((product) => product.id)).size === products.length, "a product came twice");
  check(first.count === products.length && first.count_is_exact, "the count is wrong");
  const dear = good(await shop.GET("/products/", { params: { query: { ...query, min_price: "5.00" } } }), 200);
  const expected = products.filter((product) => Number(product.price) >= 5).map((product) => product.id);
  check(dear.results.map((product) => product.id).join() === expected.join(), "the filter finds others");
  const misspelt = { ...query, min_prise: "5.00" } as typeof query;
  const refused = await shop.GET("/products/", { params: { query: misspelt } });
  check(refused.error?.type === "/problems/validation-error", "a misspelt filter is ignored");
  return products;
}

async function buy(product: Product): Promise<Order> {
  const tooMuch = { product: product.id, quantity: product.quantity + 1 };
  const refused = await shop.POST("/cart-items/", { body: tooMuch });
  check(refused.response.status === 409, "more than there is goes into the cart");
  const problem = refused.error as components["schemas"]["ShortageProblem"];
  check(problem.type === "/problems/insufficient-stock", problem.type);
  check(problem.shortages[0]?.available === product.quantity, "the shortage tells another number");

  const item = good(await shop.POST("/cart-items/", { body: { product: product.id, quantity: 1 } }), 201);
  check("product" in item, "the answer is no item");
  const path = { id: item.cart };
  const before = await shop.GET("/carts/{id}/", { params: { path } });
  const stale = { "If-Match": before.response.headers.get("ETag") ?? "" };
  good(await shop.PATCH("/cart-items/{id}/", { params: { path: { id: item.id } }, body: { quantity: 2 } }), 200);
  const cart = await shop.GET("/carts/{id}/", { params: { path } });
  const total = good(cart, 200).total;
  const unseen = await shop.POST("/carts/{id}/checkout/", { params: { path, header: stale } });
  check(unseen.response.status === 412, "a total that nobody saw is paid");
  check((unseen.error as components["schemas"]["ChangedProblem"]).cart?.total === total, "the 412 shows another cart");

  const header = { "Idempotency-Key": randomUUID(), "If-Match": cart.response.headers.get("ETag") ?? "" };
  const params = { path, header };
  const order = good(await shop.POST("/carts/{id}/checkout/", { params }), 201);
  check(order.total === total && total === (Number(product.price) * 2).toFixed(2), `the total is ${order.total}`);

  const again = await shop.POST("/carts/{id}/checkout/", { params });
  check(good(again, 201).number === order.number, "the same key made another order");
  check(again.response.headers.get("Idempotent-Replayed") === "true", "a replay does not say so");
  const mine = { params: { path: { number: order.number } } };
  const stranger = await createClient<paths>({ baseUrl }).GET("/orders/{number}/", mine);
  check(stranger.error?.type === "/problems/not-authenticated", "anyone reads the order");
  return good(await shop.GET("/orders/{number}/", mine), 200);
}

const tokens = await signIn();
const bearer: Middleware = {
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${tokens.access}`);
  },
};
shop.use(bearer);
const [dearest] = await browse();
check(dearest !== undefined, "there is nothing for sale");
console.log(JSON.stringify(await buy(dearest)));
