// A shop in a browser, on another origin than the API: /?api=https://shop.example, with &product=SLUG a product's page
import type { components } from "./schema.js";

type Schemas = components["schemas"];
type Headers = Record<string, string>;

const here = new URLSearchParams(location.search);
const api = here.get("api") ?? "http://127.0.0.1:8000";
const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const field = (id: string): string => find<HTMLInputElement>(id).value;

class Problem extends Error {
  constructor(readonly body: Schemas["Problem"]) {
    super(body.detail);
  }
}

/** The account's token, or else the guest's; none for the catalogue, which needs no preflight then. */
function credentials(path: string): Headers {
  if (path.startsWith("/products/")) return {};
  const { access, guest } = localStorage;
  return access ? { Authorization: `Bearer ${access}` } : guest ? { "Guest-Token": guest } : {};
}

/** Request JSON; after a 401 renew the tokens once. Throws a Problem. */
async function call<T>(method: string, path: string, body?: object, more: Headers = {}, isRetry = false): Promise<T> {
  const headers = { ...(body && { "Content-Type": "application/json" }), ...credentials(path), ...more };
  const response = await fetch(api + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (response.status === 401 && localStorage.refresh && !isRetry) {
    await signInWith("/token/refresh/", { refresh: localStorage.refresh });
    return call(method, path, body, more, true);
  }
  if (!response.ok) throw new Problem(await response.json());
  return response.json();
}

async function signInWith(path: string, body: object): Promise<void> {
  localStorage.removeItem("access");
  Object.assign(localStorage, await call<Schemas["TokenPair"]>("POST", path, body, {}, true));
}

/** Anyone may fill a cart: without an account as a guest. */
async function addToCart(product: number): Promise<void> {
  if (!localStorage.access && !localStorage.guest) {
    localStorage.guest = (await call<Schemas["Guest"]>("POST", "/guests/")).guest_token;
  }
  showCart(await call<Schemas["Cart"]>("POST", "/cart-items/", { items: [{ product, quantity: 1 }] }));
}

/** The guest's cart becomes the account's. */
async function signIn(): Promise<void> {
  const guest = localStorage.guest;
  await signInWith("/token/", { username: field("username"), password: field("password") });
  if (!guest) return showCart(await call<Schemas["Cart"]>("POST", "/carts/"));
  showCart((await call<Schemas["MergedCart"]>("POST", "/carts/merge/", { guest_token: guest })).cart);
  localStorage.removeItem("guest");
}

/** The address first: it decides which methods are offered, and the tax. The first available one is proposed. */
async function deliver(): Promise<void> {
  const { id } = await call<Schemas["Cart"]>("POST", "/carts/");
  const place = { line1: field("street"), postal_code: field("postal-code"), city: field("city"), country: field("country") };
  showCart(await call<Schemas["Cart"]>("PATCH", `/carts/${id}/`, { shipping_address: { name: field("recipient"), ...place } }));
  const offers = await call<Schemas["Offers"]>("GET", `/carts/${id}/delivery-methods/`);
  const available = offers.results.filter((offer) => offer.available);
  show("method", available.map((offer) => new Option(`${offer.name}, ${offer.price}`, offer.code)));
}

async function choose(): Promise<void> {
  const { id } = await call<Schemas["Cart"]>("POST", "/carts/");
  showCart(await call<Schemas["Cart"]>("PATCH", `/carts/${id}/`, { delivery_method: field("method") || null }));
}

/** The key is stored until an answer arrives: if none does, the next press repeats the request and makes no second order. */
async function checkOut(): Promise<void> {
  const cart = await call<Schemas["Cart"]>("POST", "/carts/");
  if (cart.missing.includes("email")) await call("PATCH", `/carts/${cart.id}/`, { email: field("email") });
  const key = (localStorage[`key-${cart.id}`] ??= crypto.randomUUID());
  const order = await call<Schemas["Order"]>("POST", `/carts/${cart.id}/checkout/`, {}, { "Idempotency-Key": key });
  show("message", [`Thank you. Your order is ${order.number}: ${order.total} ${order.currency}`]);
  show("cart", []);
}

async function search(): Promise<void> {
  const query = new URLSearchParams({ search: field("words"), limit: "12" });
  if (!field("words")) query.delete("search");
  const page = await call<Schemas["ProductList"]>("GET", `/products/?${query}`);
  show("products", page.results.map(card));
}

/** A link names the slug. fetch follows the redirect from a former one. */
async function open(slug: string): Promise<void> {
  show("products", [card(await call<Schemas["Product"]>("GET", `/products/by-slug/${encodeURIComponent(slug)}/`))]);
}

function picture(image: Schemas["Product"]["image"]): HTMLImageElement {
  return Object.assign(new Image(), { alt: image?.alt_text ?? "", ...(image?.thumb && { src: image.thumb }) });
}

function card(product: Schemas["Product"]): HTMLElement {
  const [item, button] = ["article", "button"].map((name) => document.createElement(name));
  button!.textContent = `Add ${product.name}`;
  button!.onclick = () => report(addToCart(product.id));
  item!.append(picture(product.image), `${product.name}, ${product.price} ${product.currency}`, button!);
  return item!;
}

function showCart(cart: Schemas["Cart"]): void {
  const line = (...content: (HTMLElement | string)[]) => {
    const element = document.createElement("li");
    element.append(...content);
    return element;
  };
  const lines: string[] = [];
  if (cart.delivery_method) lines.push(`Delivery: ${cart.amounts.delivery}`);
  lines.push(...cart.tax_lines.map((line) => `Tax at ${line.rate} %: ${line.tax}`), `Total: ${cart.amounts.total} ${cart.currency}`);
  const items = cart.items.map((item) =>
    line(picture(item.image), `${item.quantity} × ${item.product_name}: ${item.line_total}`),
  );
  show("cart", [...items, ...lines.map((text) => line(text))]);
}

const show = (id: string, content: (HTMLElement | string)[]): void => find(id).replaceChildren(...content);
const report = (work: Promise<void>): Promise<void> => work.catch((error: Error) => show("message", [error.message]));
const actions: Record<string, () => Promise<void>> = { search, "sign-in": signIn, address: deliver, delivery: choose, checkout: checkOut };

for (const [id, act] of Object.entries(actions)) {
  find(id).addEventListener("submit", (event) => (event.preventDefault(), void report(act())));
}
const product = here.get("product");
void report(product ? open(product) : search());
