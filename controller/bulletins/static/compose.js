// The compose form: a place that contains another one contains it whole, and the first field with a mistake is shown.

const form = document.getElementById("composer");

function whole() {
  const boxes = [...form.querySelectorAll('[name="targets"]')];
  const chosen = boxes.filter((box) => box.checked && !box.disabled).map((box) => box.value);
  for (const box of boxes) {
    const covered = chosen.some((path) => box.value.startsWith(`${path}/`));
    if (covered === box.disabled) continue;
    box.disabled = covered;
    box.checked = covered;
  }
}

form.addEventListener("change", (event) => event.target.name === "targets" && whole(), true);
document.body.addEventListener("htmx:afterSettle", (event) => event.target.id === "for-unit" && whole());
whole();
form.querySelector(".wrong input, .wrong select")?.focus();
document.querySelector(".composer .error")?.scrollIntoView({ block: "center" });
