/* Pictures that lead to their frame, and the order of the wall. */
document.addEventListener('click', (event) => {
  const crop = event.target.closest('[data-frame]');
  if (crop) choose(Number(crop.dataset.frame));
});

const order = document.getElementById('order');
if (order) {
  order.addEventListener('change', () => {
    const wall = document.getElementById('wall');
    const sign = order.value === 'begins' ? 1 : -1;
    const rank = (one) => sign * Number(one.dataset[order.value]);
    wall.append(...[...wall.children].sort((a, b) => rank(a) - rank(b)));
  });
}

const unfold = document.getElementById('unfold');
if (unfold) {
  unfold.addEventListener('click', () => {
    document.getElementById('wall').classList.remove('folded');
    unfold.parentElement.remove();
  });
}

drawAll();
