// Asks whether the signing program runs on this computer, then leads on to it. Whoever comes back with "back" is not
// sent there a second time. Where the question cannot be asked, the button still works.

const form = document.getElementById("hand-over");
const absent = document.getElementById("signer-absent");
const navigation = performance.getEntriesByType("navigation")[0];
const ASK_MS = 2000;
const AGAIN_MS = 2000;

async function isThere() {
  try {
    const answer = await fetch(new URL("/hello", form.action), {
      mode: "cors",
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(ASK_MS),
    });
    return answer.ok && (await answer.json()).program === "loalang-signer";
  } catch {
    return false;
  }
}

async function leadOn() {
  const there = await isThere();
  absent.hidden = there;
  if (there) form.submit();
  else setTimeout(leadOn, AGAIN_MS);
}

if (navigation?.type !== "back_forward") leadOn();
