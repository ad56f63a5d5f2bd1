"""The WGAN-GP as a PyTorch loop, as tutorials write it, for comparison."""

import contextlib

import torch
from torch import nn

from models.networks.parts import LEAKY_SLOPE
from utils.images import to_float


def build_critic(model):
    rows = zip(
        model["critic_conv_filters"],
        model["critic_conv_kernel_size"],
        model["critic_conv_strides"],
        strict=True,
    )
    layers, (size, _, channels) = [], model["input_dim"]
    for filters, kernel_size, strides in rows:
        layers += [
            nn.Conv2d(channels, filters, kernel_size, strides, kernel_size // 2),
            nn.LeakyReLU(LEAKY_SLOPE),
        ]
        size, channels = size // strides, filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(size * size * channels, 1))


def build_generator(model):
    height, width, channels = model["generator_initial_dense_layer_size"]
    units = height * width * channels
    layers = [nn.Linear(model["z_dim"], units), nn.BatchNorm1d(units), nn.LeakyReLU(LEAKY_SLOPE)]
    layers.append(nn.Unflatten(1, (channels, height, width)))
    rows = zip(
        model["generator_conv_filters"],
        model["generator_conv_kernel_size"],
        model["generator_conv_strides"],
        strict=True,
    )
    for filters, kernel_size, strides in rows:
        padding = (kernel_size - strides) // 2
        layers += [
            nn.ConvTranspose2d(channels, filters, kernel_size, strides, padding),
            nn.BatchNorm2d(filters),
            nn.LeakyReLU(LEAKY_SLOPE),
        ]
        channels = filters
    return nn.Sequential(*layers[:-2], nn.Tanh())


def epochs(model, images, arguments):
    """Trains an epoch per item."""
    device = torch.device("cuda" if arguments.device == "gpu" else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = arguments.precision == "tf32"
    torch.backends.cudnn.allow_tf32 = arguments.precision == "tf32"
    precision = contextlib.nullcontext()
    if arguments.precision in ("bfloat16", "float16"):
        precision = torch.autocast(device.type, getattr(torch, arguments.precision))
    critic, generator = build_critic(model).to(device), build_generator(model).to(device)
    optimisers = [
        torch.optim.Adam(
            network.parameters(), lr=model[f"{name}_learning_rate"], betas=(0.5, 0.999)
        )
        for name, network in (("critic", critic), ("generator", generator))
    ]
    data = torch.from_numpy(to_float(images)).permute(0, 3, 1, 2).contiguous()
    loader = torch.utils.data.DataLoader(
        data, batch_size=arguments.batch_size, shuffle=True, drop_last=True
    )
    batches = (batch for _ in iter(int, 1) for batch in loader)

    def noise():
        return torch.randn(arguments.batch_size, model["z_dim"], device=device)

    while True:
        for _ in range(arguments.n_critic):
            real = next(batches).to(device)
            with precision:
                fake = generator(noise()).detach().float()
                mix = torch.rand(len(real), 1, 1, 1, device=device)
                mixed = (mix * real + (1 - mix) * fake).requires_grad_()
                loss = critic(fake).mean() - critic(real).mean()
                score = critic(mixed).sum()
            gradient = torch.autograd.grad(score, mixed, create_graph=True)[0].flatten(1)
            loss = loss + model["grad_weight"] * ((gradient.norm(2, dim=1) - 1) ** 2).mean()
            optimisers[0].zero_grad()
            loss.backward()
            optimisers[0].step()
        with precision:
            generator_loss = -critic(generator(noise())).mean()
        optimisers[1].zero_grad()
        generator_loss.backward()
        optimisers[1].step()
        yield loss.item()
